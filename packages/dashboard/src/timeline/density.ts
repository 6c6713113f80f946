import type { Second } from '@longwire/recording';
import type { TimeRange } from '../state/filter.js';
import { endOf, lastOf, type CallSpan } from './spans.js';
import { stepOf, type TimeScale } from './scale.js';

/** Calls that ended within a time, where they are too many to be drawn one by one. */
export interface Bin extends TimeRange {
  readonly calls: number;
  /** Of the calls, those that ended with an error. */
  readonly errors: number;
}

/** The least width of a bin, in pixels. */
const BIN_PX = 4;
const SECOND = 1000;

/** How long a bin is, so that it can be seen. */
export function binMsOf(scale: TimeScale): number {
  return stepOf(((scale.to - scale.from) / Math.max(1, scale.width)) * BIN_PX);
}

/** Counts ends of spans in bins. They begin at whole steps, so that they stay the same as time goes on. */
export function binsOfSpans(spans: Iterable<CallSpan>, range: TimeRange, binMs: number): Bin[] {
  const counts = new Counts(range, binMs);
  for (const span of spans) {
    const { end } = lastOf(span);
    if (end !== undefined) counts.add(endOf(span, end.at), 1, end.outcome === 'result' ? 0 : 1);
  }
  return counts.bins;
}

/** The same of seconds, which are kept longer than calls. */
export function binsOfSeconds(seconds: readonly Second[], range: TimeRange, binMs: number): Bin[] {
  const counts = new Counts(range, Math.max(SECOND, binMs));
  for (const { second, calls, errors } of seconds) {
    counts.add(second * SECOND, calls + errors, errors);
  }
  return counts.bins;
}

class Counts {
  readonly #range: TimeRange;
  readonly #binMs: number;
  readonly #bins = new Map<number, { from: number; to: number; calls: number; errors: number }>();

  constructor(range: TimeRange, binMs: number) {
    this.#range = range;
    this.#binMs = binMs;
  }

  get bins(): Bin[] {
    return [...this.#bins.values()].sort((a, b) => a.from - b.from);
  }

  add(at: number, calls: number, errors: number): void {
    const index = Math.floor(at / this.#binMs);
    const from = index * this.#binMs;
    const to = from + this.#binMs;
    if (calls === 0 || to < this.#range.from || from > this.#range.to) return;
    const bin = this.#bins.get(index) ?? { from, to, calls: 0, errors: 0 };
    bin.calls += calls;
    bin.errors += errors;
    this.#bins.set(index, bin);
  }
}
