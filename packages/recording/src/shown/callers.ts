import type { CallPicture } from '../picture.js';

/** More are not named on a card. */
const MAX_CALLERS = 6;

/** Who calls a server, of the calls that are kept: those with most calls first, and how many others there are. */
export interface Callers {
  readonly most: readonly (readonly [who: string, calls: number])[];
  readonly others: number;
}

/** Counts the calls to a server by whom they are made for. */
export function callersOf(calls: Iterable<CallPicture>, server: string): Callers {
  const counts = new Map<string, number>();
  for (const call of calls) {
    if (call.server !== server || call.by === undefined || !('who' in call.by)) continue;
    counts.set(call.by.who, (counts.get(call.by.who) ?? 0) + 1);
  }
  const all = [...counts].sort(([, one], [, other]) => other - one);
  return { most: all.slice(0, MAX_CALLERS), others: Math.max(0, all.length - MAX_CALLERS) };
}
