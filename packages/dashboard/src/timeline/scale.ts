import type { TimeRange } from '../state/filter.js';

/** Where times are on the screen. */
export interface TimeScale extends TimeRange {
  /** Where the range begins and how wide it is, in pixels. */
  readonly left: number;
  readonly width: number;
}

/** A time that is named under the timeline. */
export interface Tick {
  readonly at: number;
  readonly x: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The shortest and the longest range that can be looked at, in milliseconds. */
export const MIN_RANGE_MS = 1;
export const MAX_RANGE_MS = 30 * DAY;

const STEPS = [
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7].map((days) => days * DAY),
];

/** Where a time is, in pixels; beyond both ends as well. */
export function xOf(scale: TimeScale, at: number): number {
  return scale.left + ((at - scale.from) / (scale.to - scale.from)) * scale.width;
}

/** The time at a place. */
export function timeAt(scale: TimeScale, x: number): number {
  return scale.from + ((x - scale.left) / scale.width) * (scale.to - scale.from);
}

/** The shortest step of a clock that is at least so many milliseconds long. */
export function stepOf(leastMs: number): number {
  return STEPS.find((step) => step >= leastMs) ?? Math.ceil(leastMs / DAY) * DAY;
}

/**
 * Times to name, at whole steps of the clock on the wall, at least so many pixels apart.
 *
 * @param offsetMs how far that clock is ahead of UTC. Default: that of this browser.
 */
export function ticksOf(
  scale: TimeScale,
  leastPx: number,
  offsetMs: number = new Date(scale.from).getTimezoneOffset() * -MINUTE,
): { readonly stepMs: number; readonly ticks: Tick[] } {
  const stepMs = stepOf(((scale.to - scale.from) / Math.max(1, scale.width)) * leastPx);
  const first = Math.ceil((scale.from + offsetMs) / stepMs);
  const last = Math.floor((scale.to + offsetMs) / stepMs);
  const ticks: Tick[] = [];
  for (let index = first; index <= last; index++) {
    const at = index * stepMs - offsetMs;
    ticks.push({ at, x: xOf(scale, at) });
  }
  return { stepMs, ticks };
}

/** A range so many times as long, in which one time stays where it is. */
export function zoomed({ from, to }: TimeRange, factor: number, around: number): TimeRange {
  const length = Math.min(MAX_RANGE_MS, Math.max(MIN_RANGE_MS, (to - from) * factor));
  const share = (around - from) / (to - from);
  return { from: around - length * share, to: around + length * (1 - share) };
}

/** A range further along, by a share of its length. */
export function panned({ from, to }: TimeRange, share: number): TimeRange {
  const by = (to - from) * share;
  return { from: from + by, to: to + by };
}

/** A range as long as before, moved as little as possible so that a time is well within it. */
export function movedTo(range: TimeRange, at: number): TimeRange {
  const length = range.to - range.from;
  const margin = length * 0.1;
  if (at < range.from + margin) return { from: at - margin, to: at - margin + length };
  if (at > range.to - margin) return { from: at + margin - length, to: at + margin };
  return range;
}

/** The range in which times are at the places that fingers hold them at: it moves with one, and zooms with two. */
export function rangeHolding(
  { from, to, left, width }: TimeScale,
  held: readonly { readonly at: number; readonly x: number }[],
): TimeRange {
  const [first, second] = [...held].sort((a, b) => a.at - b.at);
  if (first === undefined) return { from, to };
  const apart = second === undefined ? 0 : second.x - first.x;
  const msPerPx =
    second === undefined || apart < 8 ? (to - from) / width : (second.at - first.at) / apart;
  const begin = first.at - (first.x - left) * msPerPx;
  return { from: begin, to: begin + msPerPx * width };
}
