import type { CallPicture, CertaintyName } from '@longwire/recording';
import {
  callName,
  CERTAINTIES,
  formatClock,
  formatDuration,
  formatRate,
  lineJson,
  outcomeOf,
  OUTCOMES,
} from '@longwire/recording/shown';
import { plain, span, type Span } from './spans.js';
import type { Column } from './table.js';

const BAR = 8;

/** How a call ended, as a sign and a word; of one that runs, how far it is. */
export function outcomeSpan(call: CallPicture): Span {
  const outcome = outcomeOf(call);
  const { sign, tone } = OUTCOMES[outcome] ?? OUTCOMES.error;
  if (outcome === 'in-flight') return span(progressText(call), tone);
  const code = outcome === 'error' ? call.end?.error?.code : undefined;
  return span(`${sign} ${plain(code ?? outcome, 40)}`, tone);
}

/** How far a call is: a bar where its end is known. */
export function progressText({ progress }: CallPicture): string {
  if (progress === undefined) return '… running';
  const { progress: done, total } = progress;
  if (total === undefined || !(total > 0)) return `… ${formatRate(done)}`;
  const share = Math.min(1, Math.max(0, done / total));
  const full = Math.round(share * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${Math.round(share * 100)} %`;
}

/** What is certain of a call that failed; nothing of one that did not. */
export function certaintySpan({ end }: CallPicture): Span {
  const certainty = end?.error?.certainty;
  if (certainty === undefined) return span('');
  const { sign, tone } = CERTAINTIES[certainty] ?? CERTAINTIES['outcome-unknown'];
  return span(`${sign} ${SHORT[certainty] ?? plain(certainty, 20)}`, tone);
}

/** As filters have it. */
const SHORT: Readonly<Partial<Record<CertaintyName, string>>> = { 'outcome-unknown': 'unknown' };

function durationOf({ end, at: begun }: CallPicture, at: number): number {
  return end?.durationMs ?? Math.max(0, at - begun);
}

/** What the list of calls says of each. */
export const CALL_COLUMNS: readonly Column<CallPicture>[] = [
  {
    title: 'CALLS',
    width: 10,
    goodWidth: 22,
    maxWidth: 70,
    rank: 0,
    cell: (call) => [
      span(plain(callName(call)), 'strong'),
      span(call.arguments === undefined ? '' : ` ${plain(lineJson(call.arguments))}`, 'quiet'),
    ],
    sortedBy: (call) => callName(call).toLowerCase(),
  },
  {
    title: 'SERVER',
    width: 10,
    maxWidth: 20,
    rank: 4,
    cell: ({ server }) => [span(plain(server))],
    sortedBy: ({ server }) => server.toLowerCase(),
  },
  {
    title: 'OUTCOME',
    width: 17,
    rank: 1,
    cell: (call) => [outcomeSpan(call)],
    sortedBy: (call) => `${outcomeOf(call)} ${call.end?.error?.code ?? ''}`,
  },
  {
    title: 'CERTAINTY',
    width: 10,
    rank: 3,
    cell: (call) => [certaintySpan(call)],
    sortedBy: ({ end }) => end?.error?.certainty ?? '~',
  },
  {
    title: 'TOOK',
    width: 9,
    align: 'right',
    rank: 2,
    cell: (call, at) => [
      span(formatDuration(durationOf(call, at)), call.end === undefined ? 'busy' : undefined),
    ],
    sortedBy: durationOf,
  },
  {
    title: 'SENT',
    width: 4,
    align: 'right',
    rank: 5,
    cell: ({ attempts: { length } }) => [span(`${length}×`, length > 1 ? 'warning' : 'quiet')],
    sortedBy: ({ attempts }) => attempts.length,
  },
  {
    title: 'BEGAN',
    width: 12,
    rank: 6,
    cell: ({ at }) => [span(formatClock(at), 'quiet')],
    sortedBy: ({ at }) => at,
  },
];
