import { signal } from '@preact/signals';
import type { TimeRange } from '../state/filter.js';
import { feed, now } from '../state/page.js';
import { MAX_RANGE_MS, MIN_RANGE_MS, movedTo, panned, zoomed } from './scale.js';

/** What the timeline shows: the time until now, so long; or a time that was chosen. */
export type Shown =
  { readonly kind: 'follow'; readonly lengthMs: number } | ({ readonly kind: 'held' } & TimeRange);

const FIRST_LENGTH_MS = 60_000;
/** What is free behind now, as a share of what is shown. */
const AHEAD = 0.02;

/** What the timeline shows. In a replay, `follow` is the whole recording. */
export const shown = signal<Shown>({ kind: 'follow', lengthMs: FIRST_LENGTH_MS });

/** The time that what is in flight has reached. */
export function timeNow(): number {
  const replay = feed.replay.value;
  if (replay !== undefined) return replay.at;
  const isLive = feed.liveness.value.state === 'live';
  return Math.max(isLive ? Date.now() : now.value, feed.picture.at);
}

/** The range that is shown, at a time. */
export function shownRange(at: number): TimeRange {
  const { value } = shown;
  if (value.kind === 'held') return value;
  const replay = feed.replay.value;
  if (replay !== undefined) {
    const pad = Math.max(MIN_RANGE_MS, (replay.to - replay.from) * AHEAD);
    return { from: replay.from - pad, to: replay.to + pad };
  }
  return { from: at - value.lengthMs * (1 - AHEAD), to: at + value.lengthMs * AHEAD };
}

/** Follows now, as long a time as is shown. In a replay, shows all of it. */
export function follow(): void {
  const { from, to } = shownRange(timeNow());
  shown.value = { kind: 'follow', lengthMs: to - from };
}

/** Holds a range. */
export function hold({ from, to }: TimeRange = shownRange(timeNow())): void {
  const length = Math.min(MAX_RANGE_MS, Math.max(MIN_RANGE_MS, to - from));
  shown.value = { kind: 'held', from, to: from + length };
}

/** Shows a time so many times as long; around a time, else around the middle, or now where it follows. */
export function zoomBy(factor: number, around?: number): void {
  const { value } = shown;
  const isLive = feed.replay.value === undefined;
  const range = shownRange(timeNow());
  if (value.kind === 'follow' && isLive) {
    const { from, to } = zoomed(range, factor, range.to);
    shown.value = { kind: 'follow', lengthMs: to - from };
  } else hold(zoomed(range, factor, around ?? (range.from + range.to) / 2));
}

/** Goes on in time by a share of what is shown. */
export function panBy(share: number): void {
  hold(panned(shownRange(timeNow()), share));
}

/** Goes to a time, if it is not well within what is shown. */
export function goTo(at: number): void {
  hold(movedTo(shownRange(timeNow()), at));
}

/** Goes to the beginning of what is known. */
export function goToBegin(): void {
  const { from, to } = shownRange(timeNow());
  const { servers, ended } = feed.picture;
  let begin = feed.replay.value?.from ?? ended[0]?.at ?? from;
  for (const { states } of servers.values()) begin = Math.min(begin, states[0]?.from ?? begin);
  const pad = (to - from) * AHEAD;
  hold({ from: begin - pad, to: begin - pad + (to - from) });
}

/** Calls that ended before this time are kept no more. */
export function keptFrom(): number {
  const { servers, ended } = feed.picture;
  let total = 0;
  for (const { totals } of servers.values()) total += totals.calls;
  return total > ended.length ? (ended[0]?.end?.at ?? 0) : 0;
}
