import type { EventPicture } from '@longwire/recording';
import {
  formatClock,
  kindOf,
  LEVEL_MARKS,
  levelOf,
  LEVELS,
  summaryOf,
} from '@longwire/recording/shown';
import { plain, span, type Span } from './spans.js';
import type { Column } from './table.js';

/** How serious an event is, as a sign and a word; nothing for one that does not say. */
export function levelSpan(event: EventPicture): Span {
  const level = levelOf(event);
  if (level === undefined) return span('');
  const { sign, tone } = LEVEL_MARKS[level];
  return span(`${sign} ${level}`, tone);
}

/** What the list of events says of each. */
export const EVENT_COLUMNS: readonly Column<EventPicture>[] = [
  {
    title: 'EVENTS',
    width: 12,
    rank: 2,
    cell: ({ at }) => [span(formatClock(at), 'quiet')],
    sortedBy: ({ seq }) => seq,
  },
  {
    title: 'SERVER',
    width: 10,
    maxWidth: 12,
    rank: 3,
    cell: ({ server }) => [span(plain(server))],
    sortedBy: ({ server }) => server.toLowerCase(),
  },
  {
    title: 'LEVEL',
    width: 11,
    rank: 1,
    cell: (event) => [levelSpan(event)],
    sortedBy: (event) => LEVELS.indexOf(levelOf(event) ?? 'debug'),
  },
  {
    title: 'KIND',
    width: 22,
    rank: 4,
    cell: (event) => [span(plain(kindOf(event), 40))],
    sortedBy: (event) => kindOf(event),
  },
  {
    title: 'SAYS',
    width: 24,
    goodWidth: 40,
    maxWidth: 400,
    rank: 0,
    cell: (event) => [span(plain(summaryOf(event)))],
  },
];
