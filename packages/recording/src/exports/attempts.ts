import type { AttemptPicture, CallPicture } from '../picture.js';

/** A time that a call was under way on the wire. */
export interface AttemptSpan extends AttemptPicture {
  readonly from: number;
  /** When it was sent again, or ended; of a call in flight, now. */
  readonly to: number;
  /** It is the one that the call ended with, or is in flight. */
  readonly isLast: boolean;
}

/** When a call ended; of a call in flight, now. Never before it began. */
export function endOfCall({ at, end }: CallPicture, now: number): number {
  return Math.max(at, end?.at ?? now);
}

/**
 * The attempts of a call, each until the next one, and all within the call: whoever wrote the lines chose
 * their times.
 */
export function attemptSpansOf(call: CallPicture, now: number): AttemptSpan[] {
  const { attempts } = call;
  const end = endOfCall(call, now);
  let before = call.at;
  return attempts.map((attempt, index) => {
    const next = attempts[index + 1];
    const from = Math.min(Math.max(attempt.at, before), end);
    const to = Math.min(Math.max(next?.at ?? end, from), end);
    before = to;
    return { ...attempt, from, to, isLast: next === undefined };
  });
}

/** All calls of a picture, in the order in which they began. */
export function callsOf(picture: {
  readonly ended: readonly CallPicture[];
  readonly inFlight: Iterable<CallPicture>;
}): CallPicture[] {
  return [...picture.ended, ...picture.inFlight].sort((a, b) => a.at - b.at || a.call - b.call);
}
