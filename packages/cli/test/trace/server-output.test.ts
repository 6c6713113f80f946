import type { WireOutput } from '@longwire/client';
import { beforeEach, expect, it } from 'vitest';
import { showServerOutput } from '../../src/trace/server-output.ts';

let shown: string[];
let remarks: string[];
let time: number;

beforeEach(() => {
  [shown, remarks, time] = [[], [], 0];
});

const observer = (name = 'files', redact = (text: string): string => text) =>
  showServerOutput({
    name,
    redact,
    show: (line) => shown.push(line),
    remark: (line) => remarks.push(line),
    now: () => time,
  });

const written = (line: string, from: WireOutput['from'] = 'stderr'): WireOutput => ({
  type: 'output',
  from,
  pid: 1,
  line,
});

const exited = {
  type: 'process',
  phase: 'exited',
  pid: 1,
  command: 'x',
  exitCode: 1,
  signal: undefined,
} as const;

it('shows each line with the name of its server, without control sequences', () => {
  observer()(written('\u001b[31mred\u001b[0m \u001b]0;title\u0007alert\t!'));
  expect(shown).toEqual(['files| red alert !']);
});

it('a line is cut, and holds one line whatever is in it', () => {
  observer()(written(`a\u2028b${'x'.repeat(20_000)}`));
  expect(shown[0]).toHaveLength('files| '.length + 1000);
  expect(shown[0]).not.toMatch(/[\n\u2028]/);
});

it('shows no part of a secret where a line is cut', () => {
  const secret = 'variable-secret-123456789';
  const redact = (text: string): string => text.replaceAll(secret, '***');
  for (let before = 90; before < 1010; before++) {
    const observe = observer('files', redact);
    observe(written(`${'x'.repeat(before)}vari\u001b[1mable-secret-123456789`, 'stdout'));
    observe(written(`${'x'.repeat(before)}${secret}`));
  }
  expect(shown.join() + remarks.join()).not.toContain('vari');
});

it('says once what was written to stdout, and shows what comes after it', () => {
  const observe = observer();
  observe(written('Listening', 'stdout'));
  observe(written('still', 'stdout'));
  expect(remarks).toEqual([
    'files wrote to its stdout what is no message (“Listening”): a server logs to its stderr.',
  ]);
  expect(shown).toEqual(['files (stdout)| still']);
});

it('of a flood it shows the beginning of each second and says how much was left out', () => {
  const observe = observer();
  for (let line = 0; line < 100_000; line++) observe(written(`line ${line}`));
  expect(shown).toHaveLength(200);
  time = 1000;
  observe(written('later'));
  expect(shown.slice(200)).toEqual([
    'files| (99790 lines left out, which came too fast)',
    ...Array.from({ length: 10 }, (_, index) => `files| line ${99_990 + index}`),
    'files| later',
  ]);
});

it('of a process that ends in a flood it shows the last lines, and nothing twice', () => {
  const observe = observer();
  for (let line = 0; line < 203; line++) observe(written(`line ${line}`));
  observe(exited);
  observe(exited);
  expect(shown).toEqual(Array.from({ length: 203 }, (_, line) => `files| line ${line}`));
});
