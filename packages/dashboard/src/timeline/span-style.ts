import { attemptSpansOf, endOfCall, type CallPicture } from '@longwire/recording';
import { CERTAINTIES, outcomeOf, OUTCOMES, type Tone } from '@longwire/recording/shown';
import { beginOf, isOpen, lastOf, type CallSpan } from './spans.js';

/** How a span looks. Shape and sign say the same as the colour. */
export interface SpanStyle {
  readonly tone: Tone;
  readonly sign: string;
  /** `hatched`: nobody knows whether it ran; `hollow`: it did not run. */
  readonly fill: 'solid' | 'hatched' | 'hollow';
  /** Its outline is dashed: it is not known, or did not leave. */
  readonly isDashed: boolean;
  /** Its end is open: it is in flight. */
  readonly isOpen: boolean;
}

/** A part of a span, in milliseconds since 1970. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  /** On the wire; between two requests; after its connection was lost, until it was sent again. */
  readonly kind: 'sent' | 'waiting' | 'lost';
}

/** How a span looks, by what became of its last call. */
export function styleOf(span: CallSpan): SpanStyle {
  const last = lastOf(span);
  if (isOpen(span))
    return { ...OUTCOMES['in-flight'], fill: 'solid', isDashed: false, isOpen: true };
  return styleOfEnd(last);
}

/** How a call looks that has ended. */
export function styleOfEnd(call: Pick<CallPicture, 'end'>): SpanStyle {
  const certainty = call.end?.outcome === 'error' ? call.end.error?.certainty : undefined;
  const { tone, sign } =
    certainty === undefined
      ? OUTCOMES[outcomeOf(call as CallPicture)]
      : (CERTAINTIES[certainty] ?? CERTAINTIES['outcome-unknown']);
  const didNotRun = certainty === 'not-sent' || certainty === 'refused';
  return {
    tone,
    sign,
    fill: didNotRun ? 'hollow' : certainty === 'outcome-unknown' ? 'hatched' : 'solid',
    isDashed: certainty === 'outcome-unknown' || certainty === 'not-sent',
    isOpen: false,
  };
}

/** The parts of a span, from its begin to its end. */
export function segmentsOf(span: CallSpan, now: number): Segment[] {
  const segments: Segment[] = [];
  let at = beginOf(span);
  const add = (to: number, kind: Segment['kind']): void => {
    if (to > at) segments.push({ from: at, to, kind });
    at = Math.max(at, to);
  };
  for (const call of span.calls) {
    add(call.at, 'waiting');
    const attempts = attemptSpansOf(call, now);
    for (const [index, { from, to }] of attempts.entries()) {
      if (index === 0) add(from, 'waiting');
      const lostAt = attempts[index + 1]?.lostAt;
      add(lostAt ?? to, 'sent');
      if (lostAt !== undefined) add(to, 'lost');
    }
    // What a cache answered has no attempt, and neither has what waits for a connection.
    const isAnswered = call.end?.outcome === 'result';
    add(endOfCall(call, now), attempts.length > 0 || isAnswered ? 'sent' : 'waiting');
  }
  return segments;
}
