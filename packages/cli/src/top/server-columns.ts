import type { CertaintyName, OpenSessions, ServerPicture } from '@longwire/recording';
import {
  CERTAINTIES,
  figuresOf,
  formatCount,
  formatDuration,
  formatRate,
  STATES,
  type ServerFigures,
  type Word,
} from '@longwire/recording/shown';
import { plain, span, type Span } from './spans.js';
import type { Column } from './table.js';

/** How many seconds one bar of the last minute is. */
const BAR_SECONDS = 2;
const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
/** Fewer calls in a bar than that are drawn low, not as a full bar. */
const LEAST_MAX = 8;

const counted = new WeakMap<ServerPicture, { at: number; figures: ServerFigures }>();

/** The figures of a server at a time, counted once for all its columns. */
function figuresAt(server: ServerPicture, at: number): ServerFigures {
  const known = counted.get(server);
  if (known?.at === at) return known.figures;
  const figures = figuresOf(server, at);
  counted.set(server, { at, figures });
  return figures;
}

/** The state that a server is in. */
export function stateOf({ states }: ServerPicture): ServerPicture['states'][number] | undefined {
  return states.at(-1);
}

/** Its state as a sign and a word. */
export function stateSpan(server: ServerPicture): Span {
  const state = stateOf(server)?.state ?? 'idle';
  const { sign, tone } = STATES[state] ?? STATES.idle;
  return span(`${sign} ${plain(state, 20)}`, tone);
}

/** How many of its calls failed, by what is certain of them: `✗2 ?1`. */
export function errorSpans({ totals }: ServerPicture): Span[] {
  const spans = totals.toolErrors > 0 ? [span(`✗${formatCount(totals.toolErrors)}`, 'bad')] : [];
  for (const [certainty, { sign, tone }] of Object.entries(CERTAINTIES) as [
    CertaintyName,
    Word,
  ][]) {
    const count = totals.errors[certainty];
    if (count > 0) spans.push(span(`${sign}${formatCount(count)}`, tone));
  }
  return spans.flatMap((one, index) => (index === 0 ? [one] : [span(' '), one]));
}

/** Which transport it speaks, and which version; why it is away, if it is. */
function transportSpan(server: ServerPicture): Span {
  const state = stateOf(server);
  if (state?.reason !== undefined && state.state !== 'ready') {
    return span(plain(state.reason.message), 'warning');
  }
  const { transport, protocolVersion } = server.known;
  return span(plain([transport, protocolVersion].filter(Boolean).join(' ')));
}

function minuteSpan(server: ServerPicture, at: number): Span {
  const seconds = server.seconds.last(60, at - 1000);
  const counts = Array.from({ length: 60 / BAR_SECONDS }, (_, bar) =>
    seconds
      .slice(bar * BAR_SECONDS, (bar + 1) * BAR_SECONDS)
      .reduce((sum, { calls, errors }) => sum + calls + errors, 0),
  );
  const most = Math.max(LEAST_MAX, ...counts);
  const bars = counts.map((count) =>
    count === 0 ? ' ' : BARS[Math.ceil((count / most) * BARS.length) - 1],
  );
  return span(bars.join(''), 'busy');
}

function durationOr(durationMs: number | undefined): string {
  return durationMs === undefined ? '–' : formatDuration(durationMs);
}

/** What the list of servers says of each. */
export const SERVER_COLUMNS: readonly Column<ServerPicture>[] = [
  {
    title: 'SERVERS',
    width: 12,
    maxWidth: 30,
    rank: 0,
    cell: ({ name }) => [span(plain(name), 'strong')],
    sortedBy: ({ name }) => name.toLowerCase(),
  },
  {
    title: 'STATE',
    width: 14,
    rank: 1,
    cell: (server) => [stateSpan(server)],
    sortedBy: (server) => stateOf(server)?.state ?? 'idle',
  },
  {
    title: 'TRANSPORT',
    width: 26,
    rank: 8,
    cell: (server) => [transportSpan(server)],
    sortedBy: ({ known }) => known.transport ?? '',
  },
  {
    title: 'UP',
    width: 11,
    align: 'right',
    rank: 9,
    cell: (server, at) => [span(durationOr(figuresAt(server, at).uptimeMs))],
    sortedBy: (server, at) => figuresAt(server, at).uptimeMs ?? -1,
  },
  {
    title: 'FLIGHT',
    width: 6,
    align: 'right',
    rank: 3,
    cell: ({ inFlight }) => [span(inFlight === 0 ? '–' : formatCount(inFlight), 'busy')],
    sortedBy: ({ inFlight }) => inFlight,
  },
  {
    title: 'CALLS/S',
    width: 7,
    align: 'right',
    rank: 2,
    cell: (server, at) => [span(formatRate(figuresAt(server, at).callsPerSecond))],
    sortedBy: (server, at) => figuresAt(server, at).callsPerSecond,
  },
  {
    title: 'P50',
    width: 7,
    align: 'right',
    rank: 6,
    cell: (server, at) => [span(durationOr(figuresAt(server, at).p50Ms))],
    sortedBy: (server, at) => figuresAt(server, at).p50Ms ?? -1,
  },
  {
    title: 'P95',
    width: 7,
    align: 'right',
    rank: 4,
    cell: (server, at) => [span(durationOr(figuresAt(server, at).p95Ms))],
    sortedBy: (server, at) => figuresAt(server, at).p95Ms ?? -1,
  },
  {
    title: 'ERRORS',
    width: 8,
    maxWidth: 20,
    rank: 5,
    cell: (server) => errorSpans(server),
    sortedBy: ({ totals }) =>
      Object.values(totals.errors).reduce((sum, count) => sum + count, totals.toolErrors),
  },
  {
    title: 'RECONN',
    width: 6,
    align: 'right',
    rank: 7,
    cell: ({ totals: { reconnects } }) => [
      span(
        reconnects === 0 ? '–' : formatCount(reconnects),
        reconnects === 0 ? undefined : 'warning',
      ),
    ],
    sortedBy: ({ totals }) => totals.reconnects,
  },
  {
    title: 'LAST MINUTE',
    width: 60 / BAR_SECONDS,
    rank: 10,
    cell: (server, at) => [minuteSpan(server, at)],
  },
];

/** The same for servers that are watched themselves: they have sessions, and their clients reconnect. */
export const WATCHED_COLUMNS: readonly Column<ServerPicture>[] = SERVER_COLUMNS.map((column) =>
  column.title !== 'RECONN'
    ? column
    : {
        title: 'SESSIONS',
        width: 8,
        align: 'right',
        rank: column.rank,
        cell: ({ sessions = [] }) => [span(formatCount(sessionCount(sessions)))],
        sortedBy: ({ sessions = [] }) => sessionCount(sessions),
      },
);

/** How many sessions are open. */
export function sessionCount(sessions: readonly OpenSessions[]): number {
  return sessions.reduce((sum, { count }) => sum + count, 0);
}
