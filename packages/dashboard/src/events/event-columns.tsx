import type { EventPicture } from '@longwire/recording';
import { formatClock, kindOf, LEVEL_MARKS, levelOf, summaryOf } from '@longwire/recording/shown';
import { Line } from '../parts/plain-text.js';
import type { Column } from '../parts/row-table.js';

/** The columns of events. */
export const EVENT_COLUMNS: readonly Column<EventPicture>[] = [
  { title: 'Time', className: 'at-time', cell: ({ at }) => formatClock(at) },
  {
    title: 'Level',
    className: 'at-level',
    cell: (event) => <LevelMark event={event} />,
  },
  { title: 'Server', className: 'at-server wide', cell: ({ server }) => <Line text={server} /> },
  { title: 'Kind', className: 'at-kind wide', cell: (event) => <Line text={kindOf(event)} /> },
  {
    title: 'What it says',
    className: 'at-says',
    cell: (event) => <Line text={summaryOf(event)} />,
  },
];

/** How serious an event is, as a sign and a word. */
export function LevelMark({ event }: { event: EventPicture }) {
  const level = levelOf(event);
  if (level === undefined) return <span class="remark">–</span>;
  const { sign, tone } = LEVEL_MARKS[level];
  return (
    <span class={`mark tone-${tone}`}>
      <span class="mark-sign" aria-hidden="true">
        {sign}
      </span>
      {level}
    </span>
  );
}
