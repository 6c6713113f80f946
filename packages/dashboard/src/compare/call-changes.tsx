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
    <section class="changes" aria-label="Latency">
      <h2>Latency</h2>
      {changes.length === 0 ? (
        <p class="remark">No tool was called both before and after.</p>
      ) : (
        <div class="changes-table" tabIndex={0} role="region" aria-label="Table of latencies">
          <table>
            <thead>
              <tr>
                <th scope="col">Tool</th>
                <th scope="col">Server</th>
                <th scope="col">Verdict</th>
                <th scope="col">p50</th>
                <th scope="col">p95</th>
                <th scope="col">Calls</th>
              </tr>
            </thead>
            <tbody>
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
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** Which errors calls ended with, before and after. */
export function ErrorChanges({ changes }: { changes: readonly ErrorChange[] }) {
  return (
    <section class="changes" aria-label="Errors">
      <h2>Errors</h2>
      {changes.length === 0 ? (
        <p class="remark">None, before and after.</p>
      ) : (
        <div class="changes-table" tabIndex={0} role="region" aria-label="Table of errors">
          <table>
            <thead>
              <tr>
                <th scope="col">Error</th>
                <th scope="col">Call</th>
                <th scope="col">Server</th>
                <th scope="col">Verdict</th>
                <th scope="col">Of the calls that are kept</th>
              </tr>
            </thead>
            <tbody>
              {changes
                .slice(0, MAX_ROWS)
                .map(({ server, method, tool, code, verdict, before, after }) => (
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
            </tbody>
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
