import type { Picture } from '@longwire/recording';
import {
  counted,
  figuresOf,
  formatCount,
  formatRate,
  formatShortClock,
} from '@longwire/recording/shown';
import type { ReplayPosition } from '../dash/page-source.js';
import { plain, span, type ScreenLine, type Span } from './spans.js';
import { stateOf } from './server-columns.js';
import type { Away } from './source.js';

/** What the first line is about. */
export interface TitleOptions {
  readonly picture: Picture;
  readonly at: number;
  readonly replay: ReplayPosition | undefined;
  /** Since when it is not live, if it is not. */
  readonly away: Away | undefined;
  /** When the screen was held, if it is. */
  readonly heldAt: number | undefined;
}

/** The first line: whether this is now, and what all servers come to. */
export function titleLine({ picture, at, replay, away, heldAt }: TitleOptions): ScreenLine {
  const servers = [...picture.servers.values()].filter(({ known }) => known.removed !== true);
  const ready = servers.filter((server) => stateOf(server)?.state === 'ready').length;
  const inFlight = servers.reduce((sum, server) => sum + server.inFlight, 0);
  const rate = servers.reduce((sum, server) => sum + figuresOf(server, at).callsPerSecond, 0);
  const failed = servers.reduce(
    (sum, { totals }) =>
      Object.values(totals.errors).reduce((all, count) => all + count, sum + totals.toolErrors),
    0,
  );
  const parts: Span[] = [
    timeSpan({ at, replay, away, heldAt }),
    ready === servers.length
      ? span(`${ready} ready`)
      : span(`${ready} of ${servers.length} ready`, 'warning'),
    span(`${formatCount(inFlight)} in flight`),
    span(`${formatRate(rate)} calls/s`),
    span(`${formatCount(failed)} failed`, failed > 0 ? 'bad' : undefined),
  ];
  const read = replay?.read;
  if (read !== undefined) parts.push(span(`${Math.round(read * 100)} % read`, 'quiet'));
  if (picture.lost > 0) parts.push(span(`${counted(picture.lost, 'line')} lost`, 'warning'));
  return {
    spans: [
      span(replay === undefined ? 'longwire top' : plain(replay.file, 30), 'strong'),
      ...parts.flatMap((part) => [span('  '), part]),
    ],
  };
}

function timeSpan({ at, replay, away, heldAt }: Omit<TitleOptions, 'picture'>): Span {
  const clock = formatShortClock(at);
  if (heldAt !== undefined) return span(`❚❚ held at ${clock}`, 'warning');
  if (away !== undefined)
    return span(`○ not live since ${formatShortClock(away.since)}`, 'warning');
  if (replay === undefined) return span(`● live ${clock}`, 'good');
  const { from, to, speed, playing } = replay;
  const share = to > from ? Math.round(((at - from) / (to - from)) * 100) : 100;
  const text = `${playing ? '▶' : '❚❚'} ${speed}× ${clock} ${share} %`;
  return span(text, playing ? 'busy' : 'warning');
}
