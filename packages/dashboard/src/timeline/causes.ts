import type { CallPicture } from '@longwire/recording';
import { BAND_HEIGHT, drawnSpanOf, type DrawnLane, type DrawnSpan, type Layout } from './layout.js';
import { xOf } from './scale.js';

/** A place on the screen, in pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A line from a cause to its effect. */
export interface CauseLine {
  /**
   * `lost`: a call lost its connection; `again`: it was sent again on the next one; `not-again`: it
   * ended with its connection; `called`: a call caused another one.
   */
  readonly kind: 'lost' | 'again' | 'not-again' | 'called';
  readonly from: Point;
  readonly to: Point;
}

/** Call → attempt → connection lost → sent again, or not: the lines of all spans that are drawn. */
export function causesOf(layout: Layout): CauseLine[] {
  return layout.lanes.flatMap((lane) =>
    lane.spans
      .filter(({ isDimmed }) => !isDimmed)
      .flatMap((drawn) =>
        drawn.span.calls.flatMap((call) => [
          ...lossesOf(call, drawn, lane, layout),
          ...callerOf(call, drawn, layout),
        ]),
      ),
  );
}

function lossesOf(
  { attempts, end }: CallPicture,
  { y, height }: DrawnSpan,
  { states }: DrawnLane,
  { scale }: Layout,
): CauseLine[] {
  const band = states[0]?.y;
  if (band === undefined) return [];
  const middle = y + height / 2;
  const bottom = band + BAND_HEIGHT;
  const lines: CauseLine[] = [];
  for (const { at, lostAt } of attempts) {
    if (lostAt === undefined) continue;
    const [lost, again] = [xOf(scale, lostAt), xOf(scale, at)];
    lines.push({ kind: 'lost', from: { x: lost, y: bottom }, to: { x: lost, y: middle } });
    lines.push({ kind: 'again', from: { x: again, y: bottom }, to: { x: again, y } });
  }
  if (end?.error?.code === 'connection-lost' && attempts.length > 0) {
    const x = xOf(scale, end.at);
    lines.push({ kind: 'not-again', from: { x, y: bottom }, to: { x, y: middle } });
  }
  return lines;
}

function callerOf({ by, at }: CallPicture, drawn: DrawnSpan, layout: Layout): CauseLine[] {
  if (by === undefined || !('call' in by)) return [];
  const caller = drawnSpanOf(layout, by.call);
  if (caller === undefined || caller.span === drawn.span) return [];
  const x = xOf(layout.scale, at);
  const from = {
    x: Math.min(x, caller.x + caller.width),
    y: caller.y < drawn.y ? caller.y + caller.height : caller.y,
  };
  const to = { x, y: caller.y < drawn.y ? drawn.y : drawn.y + drawn.height };
  return [{ kind: 'called', from, to }];
}
