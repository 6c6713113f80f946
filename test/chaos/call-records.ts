import { CALL_KINDS, type CallKind } from './calls.ts';
import type { CallRecord } from './check-run.ts';

const OUTCOMES = ['hung', 'succeeded', 'failed'] as const;

/**
 * The records of all calls of a run and the number of times that each was run, in as many bytes at
 * the beginning as at the end: the memory that grows is not to be the test's own.
 */
export class CallRecords implements Iterable<CallRecord> {
  readonly #kinds: Uint8Array;
  readonly #settlements: Uint8Array;
  readonly #outcomes: Uint8Array;
  readonly #failures: Uint8Array;
  readonly #wrong: Uint8Array;
  readonly #lateProgress: Uint8Array;
  readonly #executions: Uint8Array;
  /** The code and the certainty of failures, by the number that stands for them. */
  readonly #failureNames: (readonly [string | undefined, string | undefined])[] = [];

  constructor(calls: number) {
    this.#kinds = new Uint8Array(calls);
    this.#settlements = new Uint8Array(calls);
    this.#outcomes = new Uint8Array(calls);
    this.#failures = new Uint8Array(calls);
    this.#wrong = new Uint8Array(calls);
    this.#lateProgress = new Uint8Array(calls);
    this.#executions = new Uint8Array(calls);
  }

  begin(key: number, kind: CallKind): void {
    this.#kinds[key] = CALL_KINDS.indexOf(kind);
  }

  /** The server runs it. Whether there is such a call. */
  run(key: number): boolean {
    return increment(this.#executions, key);
  }

  succeed(key: number, isRight: boolean): void {
    this.#settle(key, 'succeeded');
    this.#wrong[key] = isRight ? 0 : 1;
  }

  fail(key: number, code: string | undefined, certainty: string | undefined): void {
    this.#settle(key, 'failed');
    const names = this.#failureNames;
    let number = names.findIndex((name) => name[0] === code && name[1] === certainty);
    if (number < 0) number = names.push([code, certainty]) - 1;
    this.#failures[key] = number;
  }

  progress(key: number): void {
    if (this.#settlements[key] !== 0) increment(this.#lateProgress, key);
  }

  executionsOf(key: number): number {
    return this.#executions[key] ?? 0;
  }

  *[Symbol.iterator](): Iterator<CallRecord> {
    for (let key = 0; key < this.#kinds.length; key += 1) {
      const outcome = OUTCOMES[this.#outcomes[key] ?? 0] ?? 'hung';
      const failure =
        outcome === 'failed' ? this.#failureNames[this.#failures[key] ?? 0] : undefined;
      yield {
        key,
        kind: CALL_KINDS[this.#kinds[key] ?? 0] as CallKind,
        settlements: this.#settlements[key] ?? 0,
        outcome,
        isRight: this.#wrong[key] === 0,
        code: failure?.[0],
        certainty: failure?.[1],
        lateProgress: this.#lateProgress[key] ?? 0,
      };
    }
  }

  #settle(key: number, outcome: (typeof OUTCOMES)[number]): void {
    increment(this.#settlements, key);
    this.#outcomes[key] = OUTCOMES.indexOf(outcome);
  }
}

/** Counts up to 255. */
function increment(counts: Uint8Array, index: number): boolean {
  const count = counts[index];
  if (count === undefined) return false;
  counts[index] = Math.min(255, count + 1);
  return true;
}
