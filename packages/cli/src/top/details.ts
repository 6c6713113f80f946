import type {
  CallPicture,
  EventPicture,
  OpenSessions,
  Picture,
  ServerPicture,
} from '@longwire/recording';
import {
  callName,
  CERTAINTIES,
  chainOf,
  figuresOf,
  formatClock,
  formatCount,
  formatDuration,
  formatRate,
  kindOf,
  outcomeOf,
  OUTCOMES,
  STATES,
} from '@longwire/recording/shown';
import { wrap } from '../display-width.js';
import { certaintySpan, outcomeSpan, progressText } from './call-columns.js';
import { levelSpan } from './event-columns.js';
import { errorSpans, sessionCount, stateOf, stateSpan } from './server-columns.js';
import { folded, line, plain, span, type ScreenLine, type Span } from './spans.js';
import { valueLines } from './text-lines.js';

/** All that is known of one thing. */
export interface Details {
  readonly title: string;
  readonly lines: readonly ScreenLine[];
}

/** How far the text of a fact is from the left, and that of a state. */
const FACT = 14;
const STATE = 16;
const SHOWN_STATES = 20;
const SHOWN_TOOLS = 50;

/** One call: what was asked, what happened to it, what came back. */
export function callDetails(
  call: CallPicture,
  picture: Picture,
  width: number,
  at: number,
): Details {
  const { end, progress } = call;
  const certainty = end?.error?.certainty;
  const meaning =
    certainty === undefined ? OUTCOMES[outcomeOf(call)]?.meaning : CERTAINTIES[certainty]?.meaning;
  const took = formatDuration(end?.durationMs ?? at - call.at);
  const fact = factsFor(width);
  const lines = [
    ...fact('Outcome', outcomeSpan(call), span('  '), certaintySpan(call)),
    ...wrapped(meaning ?? '', width, FACT, 'quiet'),
    ...fact('Server', span(plain(call.server))),
    ...fact('Method', span(plain(call.method))),
    ...fact('Began', span(formatClock(call.at))),
    ...fact(end === undefined ? 'Running' : 'Took', span(took)),
    ...fact('Sent', span(`${call.attempts.length}×`)),
  ];
  if (progress !== undefined) {
    lines.push(
      ...fact(
        'Progress',
        span(progressText(call), 'busy'),
        span(`  ${plain(progress.message ?? '')}`),
      ),
    );
  }
  lines.push(...section('WHAT HAPPENED'));
  for (const step of chainOf(call, picture.servers.get(call.server))) {
    const time = step.at === undefined ? '' : `  ${formatClock(step.at)}`;
    const spans = [
      span(`  ${step.sign} `, step.tone),
      span(plain(step.title), 'strong'),
      span(time, 'quiet'),
    ];
    lines.push(...folded({ spans }, width, 4));
    if (step.said !== undefined) lines.push(...wrapped(plain(step.said, 2000), width, 6));
    if (step.why !== undefined) lines.push(...wrapped(plain(step.why), width, 6, 'quiet'));
  }
  lines.push(...section('ARGUMENTS'), ...value(call.arguments, width));
  lines.push(...section(end?.error === undefined ? 'RESULT' : 'ERROR'));
  if (end === undefined) lines.push(line('  not yet', 'quiet'));
  else lines.push(...value(end.error ?? end.result, width));
  return { title: `Call ${call.call} · ${plain(callName(call), 80)}`, lines };
}

/** One server: where and what it is, how it answers, what its connection did. */
export function serverDetails(server: ServerPicture, width: number, at: number): Details {
  const { known, totals, states, health, sessions, inFlight } = server;
  const figures = figuresOf(server, at);
  const state = stateOf(server);
  const errors = errorSpans(server);
  const fact = factsFor(width);
  const lines = [
    ...fact(
      'State',
      stateSpan(server),
      span(state === undefined ? '' : `  since ${formatClock(state.from)}`),
    ),
    ...(state?.reason === undefined
      ? []
      : wrapped(plain(state.reason.message, 2000), width, FACT, 'warning')),
    ...wrapped((STATES[state?.state ?? 'idle'] ?? STATES.idle).meaning, width, FACT, 'quiet'),
    ...fact('Target', span(plain(known.target ?? '–'))),
    ...fact('Transport', span(plain(`${known.transport ?? '–'} ${known.protocolVersion ?? ''}`))),
    ...fact(
      'Is',
      span(plain(known.info === undefined ? '–' : `${known.info.name} ${known.info.version}`)),
    ),
  ];
  if (health !== undefined) {
    const why = health.reason === undefined ? '' : `, ${plain(health.reason)}`;
    const tone = health.status === 'healthy' ? 'good' : 'warning';
    lines.push(...fact('Health', span(`${plain(health.status)}${why}`, tone)));
  }
  lines.push(
    ...fact('Up', span(orNone(figures.uptimeMs))),
    ...fact('Reconnects', span(formatCount(totals.reconnects))),
    ...(sessions === undefined ? [] : fact('Sessions', span(plain(sessionText(sessions), 500)))),
    ...fact('In flight', span(formatCount(inFlight))),
    ...fact(
      'Calls',
      span(`${formatCount(totals.calls)}, ${formatRate(figures.callsPerSecond)} a second`),
    ),
    ...fact('p50, p95', span(`${orNone(figures.p50Ms)}, ${orNone(figures.p95Ms)}`)),
    ...fact('Errors', ...(errors.length === 0 ? [span('none')] : errors)),
    ...fact('Events', span(formatCount(totals.events))),
    ...fact(
      'Tools',
      span(
        `${formatCount(server.catalogue.tools?.length ?? 0)}, about ${formatCount(figures.toolTokens)} tokens`,
      ),
    ),
    ...section('CONNECTION'),
  );
  for (const { state: name, from, reason } of states.slice(-SHOWN_STATES).toReversed()) {
    const { sign, tone } = STATES[name] ?? STATES.idle;
    const spans = [
      span(`  ${formatClock(from)}  `, 'quiet'),
      span(`${sign} ${plain(name, 20)}`, tone),
      span(reason === undefined ? '' : `  ${plain(reason.message)}`),
    ];
    lines.push(...folded({ spans }, width, STATE));
  }
  lines.push(...section('TOOLS THAT WERE CALLED'));
  for (const [tool, latencies] of [...server.latenciesOf].slice(0, SHOWN_TOOLS)) {
    const [p50, p95] = [latencies.percentile(0.5), latencies.percentile(0.95)].map(orNone);
    const about = `  ${formatCount(latencies.count)}×, p50 ${p50}, p95 ${p95}`;
    lines.push(
      ...folded({ spans: [span(`  ${plain(tool, 60)}`, 'strong'), span(about)] }, width, 4),
    );
  }
  if (server.latenciesOf.size === 0) lines.push(line('  none', 'quiet'));
  return { title: plain(server.name, 80), lines };
}

/** One notification, or one error that belongs to no call. */
export function eventDetails(event: EventPicture, width: number): Details {
  const fact = factsFor(width);
  const lines = [
    ...fact('Server', span(plain(event.server))),
    ...fact('At', span(formatClock(event.at))),
    ...fact('Kind', span(plain(kindOf(event)))),
    ...fact('Level', levelSpan(event)),
    ...section(event.type === 'error' ? 'ERROR' : 'PARAMS'),
    ...value(event.type === 'error' ? event.error : event.params, width),
  ];
  return { title: `${plain(kindOf(event), 60)} of ${plain(event.server, 60)}`, lines };
}

/** Facts are lines of their own, for so many columns. */
function factsFor(width: number): (name: string, ...value: readonly Span[]) => ScreenLine[] {
  return (name, ...value) =>
    folded({ spans: [span(`  ${name}`.padEnd(FACT), 'quiet'), ...value] }, width, FACT);
}

function section(title: string): ScreenLine[] {
  return [line(''), line(title, 'heading')];
}

function value(given: unknown, width: number): ScreenLine[] {
  if (given === undefined) return [line('  none', 'quiet')];
  const lines = valueLines(given, Math.max(1, width - 2));
  return lines.map(({ spans }) => ({ spans: [span('  '), ...spans] }));
}

function wrapped(text: string, width: number, indent: number, tone?: Span['tone']): ScreenLine[] {
  if (text === '') return [];
  return wrap(text, Math.max(1, width - indent)).map((row) => ({
    spans: [span(' '.repeat(indent)), span(row, tone)],
  }));
}

function orNone(durationMs: number | undefined): string {
  return durationMs === undefined ? '–' : formatDuration(durationMs);
}

/** How many sessions there are, and of which transports and versions. */
function sessionText(sessions: readonly OpenSessions[]): string {
  const kinds = sessions.map(({ transport, protocolVersion = '', count }) =>
    `${formatCount(count)} ${transport} ${protocolVersion}`.trimEnd(),
  );
  return kinds.length === 0
    ? 'none'
    : `${formatCount(sessionCount(sessions))}: ${kinds.join(', ')}`;
}
