import type { JSX } from 'preact';
import type { ErrorChange, ErrorCount, LatencyChange, LatencySummary } from '@longwire/recording';
import { formatCount, formatDuration, type Word } from '@longwire/recording/shown';
import { Mark } from '../parts/mark.js';
import { Line } from '../parts/plain-text.js';

const LATENCY_WORDS: Readonly<Record<LatencyChange['verdict'], Word>> = {
  slower: { sign: '▲', meaning: 'By more than a third, in p50 or p95.', tone: 'bad' },
  faster: { sign: '▼', meaning: 'By more than a third, in p50 or p95.', tone: 'good' },
  same: { sign: '=', meaning: 'No more than a third slower or faster.', tone: 'quiet' },
  unknown: { sign: '?', meaning: 'Fewer than five calls before or after.', tone: 'quiet' },
};

const ERROR_WORDS: Readonly<Record<ErrorChange['verdict'], Word>> = {
  new: { sign: '+', meaning: 'It was not there before.', tone: 'bad' },
  gone: { sign: '−', meaning: 'It is not there after.', tone: 'good' },
  both: { sign: '=', meaning: 'It is there before and after.', tone: 'quiet' },
};

/** Rows of a table; the filter finds the others. */
const MAX_ROWS = 300;

/** How long the calls of each tool took, before and after. */
export function LatencyChanges({ changes }: { changes: readonly LatencyChange[] }) {
  return (
    <ChangesTable
      title="Latency"
      label="Table of latencies"
      none="No tool was called both before and after."
      columns={['Tool', 'Server', 'Verdict', 'p50', 'p95', 'Calls']}
    >
      {changes.slice(0, MAX_ROWS).map(({ server, tool, verdict, before, after }) => (
        <tr key={`${server}\n${tool ?? ''}`}>
          <th scope="row">
            {tool === undefined ? 'all calls' : <Line text={tool} maxLength={80} />}
          </th>
          <td>
            <Line text={server} maxLength={60} />
          </td>
          <td>
            <Mark name={verdict} word={LATENCY_WORDS[verdict]} />
          </td>
          <FromTo
            title="p50"
            before={before}
            after={after}
            show={({ p50Ms }) => formatDuration(p50Ms)}
          />
          <FromTo
            title="p95"
            before={before}
            after={after}
            show={({ p95Ms }) => formatDuration(p95Ms)}
          />
          <FromTo
            title="calls"
            before={before}
            after={after}
            show={({ count }) => formatCount(count)}
          />
        </tr>
      ))}
    </ChangesTable>
  );
}

/** Which errors calls ended with, before and after. */
export function ErrorChanges({ changes }: { changes: readonly ErrorChange[] }) {
  return (
    <ChangesTable
      title="Errors"
      label="Table of errors"
      none="None, before and after."
      columns={['Error', 'Call', 'Server', 'Verdict', 'Of the calls that are kept']}
    >
      {changes.slice(0, MAX_ROWS).map(({ server, method, tool, code, verdict, before, after }) => (
        <tr key={[server, method, tool, code].join('\n')}>
          <th scope="row">
            <Line text={code} maxLength={60} />
          </th>
          <td>
            <Line text={tool ?? method} maxLength={80} />
          </td>
          <td>
            <Line text={server} maxLength={60} />
          </td>
          <td>
            <Mark name={verdict} word={ERROR_WORDS[verdict]} />
          </td>
          <FromTo title="calls" before={before} after={after} show={shareOf} />
        </tr>
      ))}
    </ChangesTable>
  );
}

/** A table that scrolls by itself where it is too wide; without rows, why there are none. */
function ChangesTable({
  title,
  label,
  none,
  columns,
  children,
}: {
  title: string;
  label: string;
  none: string;
  columns: readonly string[];
  children: readonly JSX.Element[];
}) {
  return (
    <section class="changes" aria-label={title}>
      <h2>{title}</h2>
      {children.length === 0 ? (
        <p class="remark">{none}</p>
      ) : (
        <div class="changes-table" tabIndex={0} role="region" aria-label={label}>
          <table>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{children}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function FromTo<Value extends LatencySummary | ErrorCount>({
  title,
  before,
  after,
  show,
}: {
  title: string;
  before: Value;
  after: Value;
  show: (value: Value) => string;
}) {
  return (
    <td class="number" data-title={title}>
      {show(before)} <span aria-hidden="true">→</span>
      <span class="unseen">before, </span> <strong>{show(after)}</strong>
      <span class="unseen"> after</span>
    </td>
  );
}

function shareOf({ errors, calls }: ErrorCount): string {
  return `${formatCount(errors)} of ${formatCount(calls)}`;
}
