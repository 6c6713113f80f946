/* oxlint-disable no-control-regex -- control characters are what this file is about */
import type { Certainty, ErrorCode } from '@longwire/client';
import type { FuzzCase } from './fuzz-case.ts';
import { BLOCK_MS, PEAK_BYTES } from './limits.ts';
import type { CaseReport, ReportedError } from './report.ts';

/** A promise that was not kept. */
export interface Violation {
  kind:
    | 'hung'
    | 'died'
    | 'blocked'
    | 'foreign-error'
    | 'malformed-result'
    | 'printed'
    | 'unhandled'
    | 'memory'
    | 'left-open'
    | 'polluted'
    | 'control-characters'
    | 'stack-trace'
    | 'exit-code'
    | 'no-json';
  detail: string;
}

const CODES: Readonly<Record<ErrorCode, true>> = {
  'connect-failed': true,
  'connect-timeout': true,
  'not-mcp': true,
  unauthorized: true,
  forbidden: true,
  'http-status': true,
  'connection-lost': true,
  timeout: true,
  deadline: true,
  aborted: true,
  closed: true,
  protocol: true,
  'tool-error': true,
  'server-error': true,
  'limit-exceeded': true,
  'queue-full': true,
  'invalid-arguments': true,
  'unknown-tool': true,
  config: true,
};

const CERTAINTIES: Readonly<Record<Certainty, true>> = {
  'not-sent': true,
  refused: true,
  answered: true,
  'outcome-unknown': true,
};

const EXIT_CODES = [0, 1, 2, 3, 4, 5, 6, 130];

/** What a terminal acts on: every control character but the line feed and the tab. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
const STACK_TRACE = /^ {4}at .*(?:\.js|node:).*:\d+/m;

/** What a run says against the promises: nothing, if they held. */
export function checkCase({ subject }: Pick<FuzzCase, 'subject'>, report: CaseReport): Violation[] {
  const violations: Violation[] = [];
  const found = (kind: Violation['kind'], detail: string): void =>
    void violations.push({ kind, detail });
  const { pending, settled, unhandled, vitals, died, stdout, stderr, openAtServer } = report;
  for (const operation of pending) found('hung', operation);
  if (died !== undefined) found('died', `${died}: ${tail(stderr)}`);
  for (const { operation, error, malformed } of settled) {
    if (malformed !== undefined) found('malformed-result', `${operation}: ${malformed}`);
    if (error !== undefined && !isTyped(error)) {
      found(
        'foreign-error',
        `${operation}: ${error.name} (${String(error.code)}): ${error.message}`,
      );
    }
  }
  for (const each of unhandled) found('unhandled', each);
  if (vitals !== undefined) {
    if (vitals.longestBlockMs > BLOCK_MS)
      found('blocked', `${Math.round(vitals.longestBlockMs)} ms`);
    if (vitals.peakBytes > PEAK_BYTES)
      found('memory', `${Math.round(vitals.peakBytes / 2 ** 20)} MiB`);
    if (vitals.leftOpen.length > 0) found('left-open', vitals.leftOpen.join(', '));
    if (vitals.isPolluted) found('polluted', 'Object.prototype');
  }
  if (openAtServer > 0) found('left-open', `${openAtServer} connections at the server`);
  if (subject === 'library') {
    // A process that dies says why.
    if (died === undefined && stdout + stderr !== '') found('printed', tail(stdout + stderr));
  } else if (pending.length === 0 && died === undefined) {
    checkCommand(
      report,
      { isJson: subject.includes('--json'), isWatch: subject[0] === 'watch' },
      found,
    );
  }
  return violations;
}

function checkCommand(
  { exitCode, stdout, stderr }: CaseReport,
  { isJson, isWatch }: { isJson: boolean; isWatch: boolean },
  found: (kind: Violation['kind'], detail: string) => void,
): void {
  if (exitCode === undefined || !EXIT_CODES.includes(exitCode)) {
    found('exit-code', `${String(exitCode)}: ${tail(stderr)}`);
  }
  for (const text of [stdout, stderr]) {
    const control = CONTROLS.exec(text);
    if (control !== null) found('control-characters', around(text, control.index));
    if (STACK_TRACE.test(text)) found('stack-trace', tail(text));
  }
  // What failed says so on stderr.
  if (!isJson || (exitCode !== 0 && stdout === '')) return;
  const documents = isWatch ? stdout.split('\n').filter((line) => line !== '') : [stdout];
  for (const document of documents) {
    if (!isJsonText(document)) found('no-json', document.slice(0, 200));
  }
}

function isTyped({ isOurs, code, certainty }: ReportedError): boolean {
  return (
    isOurs && Object.hasOwn(CODES, String(code)) && Object.hasOwn(CERTAINTIES, String(certainty))
  );
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function around(text: string, index: number): string {
  return JSON.stringify(text.slice(Math.max(0, index - 60), index + 60));
}

function tail(text: string): string {
  return JSON.stringify(text.slice(-600));
}
