import { describe, expect, it } from 'vitest';
import { checkCase } from './check-case.ts';
import { BLOCK_MS, PEAK_BYTES } from './limits.ts';
import type { CaseReport, ReportedError, Vitals } from './report.ts';

const vitals: Vitals = {
  longestBlockMs: 10,
  peakBytes: 1,
  heapBytes: 1,
  leftOpen: [],
  isPolluted: false,
};
const quiet: CaseReport = {
  pending: [],
  settled: [],
  unhandled: [],
  vitals,
  died: undefined,
  stdout: '',
  stderr: '',
  exitCode: undefined,
  openAtServer: 0,
};
const typed: ReportedError = {
  name: 'LongwireError',
  isOurs: true,
  code: 'protocol',
  certainty: 'answered',
  message: 'it failed',
};

function kinds(report: Partial<CaseReport>, subject: 'library' | string[] = 'library'): string[] {
  return checkCase({ subject }, { ...quiet, ...report }).map(({ kind }) => kind);
}

describe('a case of the library', () => {
  it.for<[string, Partial<CaseReport>, string[]]>([
    ['is all right', { settled: [{ operation: 'connect' }] }, []],
    ['ends with an error of ours', { settled: [{ operation: 'x', error: typed }] }, []],
    ['does not settle', { pending: ['connect'] }, ['hung']],
    ['ends the process', { died: 'exit code 134', stderr: 'out of memory' }, ['died']],
    ['holds the loop up', { vitals: { ...vitals, longestBlockMs: BLOCK_MS + 1 } }, ['blocked']],
    ['takes too much memory', { vitals: { ...vitals, peakBytes: PEAK_BYTES + 1 } }, ['memory']],
    ['leaves a timer', { vitals: { ...vitals, leftOpen: ['Timeout'] } }, ['left-open']],
    ['leaves a connection', { openAtServer: 1 }, ['left-open']],
    ['rejects unseen', { unhandled: ['x'] }, ['unhandled']],
    ['pollutes prototypes', { vitals: { ...vitals, isPolluted: true } }, ['polluted']],
    ['prints', { stderr: 'a warning' }, ['printed']],
    ['gives no result', { settled: [{ operation: 'x', malformed: 'null' }] }, ['malformed-result']],
    [
      'throws what is not ours',
      { settled: [{ operation: 'x', error: { ...typed, isOurs: false } }] },
      ['foreign-error'],
    ],
    [
      'throws a code that nobody knows',
      { settled: [{ operation: 'x', error: { ...typed, code: 'toString' } }] },
      ['foreign-error'],
    ],
    [
      'is not certain of anything',
      { settled: [{ operation: 'x', error: { ...typed, certainty: undefined } }] },
      ['foreign-error'],
    ],
  ])('that %s', ([, report, expected]) => {
    expect(kinds(report)).toEqual(expected);
  });
});

describe('a run of the command', () => {
  it.for<[string, Partial<CaseReport>, string[], string[]]>([
    ['is all right', { exitCode: 0, stdout: 'a\tb\n' }, [], []],
    ['ends with a code that it has not', { exitCode: 13 }, [], ['exit-code']],
    ['was killed by a signal', { died: 'signal SIGABRT' }, [], ['died']],
    ['shows a control sequence', { exitCode: 0, stdout: '\u009b2J' }, [], ['control-characters']],
    ['shows one as an error', { exitCode: 1, stderr: '\u001b[2J' }, [], ['control-characters']],
    [
      'shows a stack trace',
      { exitCode: 1, stderr: 'TypeError: x\n    at f (file:///a.js:1:2)\n' },
      [],
      ['stack-trace'],
    ],
    ['prints JSON', { exitCode: 0, stdout: '{}\n' }, ['--json'], []],
    ['prints half of it', { exitCode: 0, stdout: '{"a":' }, ['--json'], ['no-json']],
  ])('that %s', ([, report, more, expected]) => {
    expect(kinds(report, ['tools', ...more])).toEqual(expected);
  });

  it('prints one line of JSON an event when it watches', () => {
    const report = { exitCode: 130, stdout: '{}\n{}\n' };
    expect(kinds(report, ['watch', '--json'])).toEqual([]);
  });
});
