import type { CallKind } from './calls.ts';

/** What became of one call. */
export interface CallRecord {
  key: number;
  kind: CallKind;
  /** How often it settled. */
  settlements: number;
  outcome: 'hung' | 'succeeded' | 'failed';
  /** Whether a result was the one for the call's arguments. */
  isRight: boolean;
  /** The `code` and the `certainty` of a failure; none if it was no error of the library's. */
  code?: string | undefined;
  certainty?: string | undefined;
  /** Progress that came after the call had settled. */
  lateProgress: number;
}

/** Every way in which a call can break the promise. */
export const CALL_VIOLATIONS = [
  /** It did not settle, long after its deadline. */
  'hung',
  'settled-twice',
  'progress-after-end',
  'wrong-result',
  /** An unsafe call ran more than once. */
  'executed-twice',
  /** It succeeded, and never ran. */
  'succeeded-without-running',
  /** It failed as `not-sent` or `refused`, and ran. */
  'ran-after-all',
  /** The server never answers a call with an error, unless the client broke the protocol. */
  'answered-with-error',
  /** It failed with an error that is none of the library's. */
  'foreign-error',
] as const;

/** A way in which a call can break the promise. */
export type CallViolation = (typeof CALL_VIOLATIONS)[number];

/** What the client broke the promise with. */
export interface Violation {
  kind: CallViolation | 'server-breach' | 'not-received' | 'left-open' | 'memory-grew';
  /** The call, and what is known of it; or what else it is about. */
  what: string;
}

/** Checks a run by what the callers saw and what the server ran. */
export function checkRun(
  records: Iterable<CallRecord>,
  executionsOf: (key: number) => number,
): Violation[] {
  const violations: Violation[] = [];
  for (const record of records) {
    const executions = executionsOf(record.key);
    for (const kind of checkCall(record, executions)) {
      violations.push({ kind, what: describe(record, executions) });
    }
  }
  return violations;
}

/** Checks what is open, by its names, when there may be no more than so many of each. */
export function checkOpen(
  open: Readonly<Record<string, number>>,
  most: number,
  when: string,
): Violation[] {
  if (Object.values(open).every((count) => count <= most)) return [];
  const left = Object.entries(open).map(([name, count]) => `${count} ${name}`);
  return [{ kind: 'left-open', what: `${left.join(', ')} ${when}` }];
}

function checkCall(record: CallRecord, executions: number): CallViolation[] {
  const { kind, outcome, code, certainty, settlements, isRight, lateProgress } = record;
  const hasFailed = outcome === 'failed';
  const broken: Record<CallViolation, boolean> = {
    hung: outcome === 'hung',
    'settled-twice': settlements > 1,
    'progress-after-end': lateProgress > 0,
    'wrong-result': outcome === 'succeeded' && !isRight,
    'executed-twice': kind === 'write' && executions > 1,
    'succeeded-without-running': outcome === 'succeeded' && executions === 0,
    'ran-after-all':
      hasFailed && (certainty === 'not-sent' || certainty === 'refused') && executions > 0,
    'answered-with-error': hasFailed && certainty === 'answered',
    'foreign-error': hasFailed && (code === undefined || certainty === undefined),
  };
  return CALL_VIOLATIONS.filter((violation) => broken[violation]);
}

function describe(record: CallRecord, executions: number): string {
  const { key, kind, outcome, code, certainty } = record;
  const how = outcome === 'failed' ? `failed (${code}, ${certainty})` : outcome;
  return `call ${key} (${kind}) ${how}, ran ${executions} times`;
}
