import type { CallPicture } from '@longwire/recording';
import { callName, formatClock, formatDuration, lineJson } from '@longwire/recording/shown';
import { visibleLine } from '../format/visible.js';
import { CertaintyMark, OutcomeMark } from '../parts/mark.js';
import { Line } from '../parts/plain-text.js';
import type { Column } from '../parts/row-table.js';

/** The columns of calls that have ended. */
export const CALL_COLUMNS: readonly Column<CallPicture>[] = [
  { title: 'Ended', className: 'at-time wide', cell: ({ end, at }) => formatClock(end?.at ?? at) },
  { title: 'Server', className: 'at-server wide', cell: ({ server }) => <Line text={server} /> },
  {
    title: 'Call',
    className: 'at-name',
    cell: (call) => (
      <>
        <strong>
          <Line text={callName(call)} />
        </strong>
        <span class="remark wide">
          {' '}
          {call.name !== undefined &&
            call.method !== 'tools/call' &&
            `${visibleLine(call.method, 60)} `}
          {call.arguments !== undefined && <Line text={lineJson(call.arguments)} />}
        </span>
      </>
    ),
  },
  { title: 'Outcome', className: 'at-outcome', cell: (call) => <OutcomeMark call={call} /> },
  {
    title: 'Certainty',
    className: 'at-certainty',
    cell: ({ end }) =>
      end?.error?.certainty === undefined ? null : (
        <CertaintyMark certainty={end.error.certainty} />
      ),
  },
  {
    title: 'Duration',
    className: 'at-duration number',
    cell: ({ end }) => (end === undefined ? '' : formatDuration(end.durationMs)),
  },
  {
    title: 'Attempts',
    className: 'at-attempts number wide',
    cell: ({ attempts }) => String(attempts.length),
  },
];
