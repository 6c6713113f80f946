import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { quoted } from '@longwire/recording';
import {
  counted,
  formatCount,
  formatDuration,
  OUTCOMES,
  type ViewFilter,
  viewFilter,
} from '@longwire/recording/shown';
import { Line } from '../parts/plain-text.js';
import { filterRange, filterText, filterValues, withTerm, within } from '../state/filter.js';
import { feed } from '../state/page.js';
import { useSlowVersion } from '../state/slow-version.js';
import {
  countOf,
  durationBuckets,
  durationValues,
  ENDED_OUTCOMES,
  toolLatencies,
  type DurationBucket,
  type ToolLatency,
} from './latency.js';

/** Whether the view Calls shows how long calls took. */
export const isLatencyShown = signal(false);

/** What can be chosen does not go when one of it is chosen. */
const ofAllDurations = filterWithout('duration');
const ofAllTools = filterWithout('tool', 'method');

/** The filter of the page without the terms of some keys. */
function filterWithout(...keys: readonly string[]): ReadonlySignal<ViewFilter> {
  const ofText = computed(() =>
    viewFilter(keys.reduce((text, key) => withTerm(text, key, []), filterText.value)),
  );
  return computed(() => within(ofText.value, filterRange.value));
}

/** Tools that are listed; the filter finds the others. */
const MAX_TOOLS = 200;

/** How long the calls took that fit the filter, and those of each tool. What is chosen goes into the filter. */
export function LatencyView() {
  const version = useSlowVersion('calls').value;
  const picture = feed.picture;
  const [durations, tools] = [ofAllDurations.value, ofAllTools.value];
  const buckets = useMemo(
    () => durationBuckets(picture.ended.filter((call) => durations.call(call, call.at))),
    [picture, version, durations],
  );
  const rows = useMemo(
    () => toolLatencies(picture.ended.filter((call) => tools.call(call, call.at))),
    [picture, version, tools],
  );
  return (
    <section class="latency" aria-label="Latency">
      <Histogram buckets={buckets} />
      <ToolTable rows={rows} />
    </section>
  );
}

function Histogram({ buckets }: { buckets: readonly DurationBucket[] }) {
  const most = Math.max(1, ...buckets.map(countOf));
  const chosen = filterValues(filterText.value, 'duration').join(' ');
  return (
    <figure class="histogram">
      <figcaption>
        {counted(
          buckets.reduce((sum, bucket) => sum + countOf(bucket), 0),
          'call',
        )}{' '}
        by duration, each bar up to the time below it
        <span class="legend">
          {ENDED_OUTCOMES.map((outcome) => (
            <span key={outcome}>
              <span class={`swatch of-${outcome}`} aria-hidden="true" />
              {OUTCOMES[outcome].sign} {outcome}
            </span>
          ))}
        </span>
      </figcaption>
      <ul class="bars">
        {buckets.map((bucket) => (
          <li key={bucket.fromMs}>
            <Bar bucket={bucket} most={most} isChosen={chosen === valuesOf(bucket)} />
          </li>
        ))}
      </ul>
    </figure>
  );
}

function Bar({
  bucket,
  most,
  isChosen,
}: {
  bucket: DurationBucket;
  most: number;
  isChosen: boolean;
}) {
  const label = `${rangeOf(bucket)}: ${counted(countOf(bucket), 'call')}`;
  const failed = ENDED_OUTCOMES.filter(
    (outcome) => outcome !== 'result' && bucket.counts[outcome] > 0,
  ).map((outcome) => `${bucket.counts[outcome]} ${outcome}`);
  const choose = (): void => {
    filterText.value = withTerm(
      filterText.value,
      'duration',
      isChosen ? [] : durationValues(bucket),
    );
  };
  const whole = [label, ...failed].join(', ');
  return (
    <button
      type="button"
      class="bar"
      aria-pressed={isChosen}
      aria-label={whole}
      title={whole}
      onClick={choose}
    >
      <span class="bar-room">
        {ENDED_OUTCOMES.toReversed().map(
          (outcome) =>
            bucket.counts[outcome] > 0 && (
              <span
                key={outcome}
                class={`of-${outcome}`}
                style={{ height: `${(bucket.counts[outcome] / most) * 100}%` }}
              />
            ),
        )}
      </span>
      <span class="bar-scale">
        {Number.isFinite(bucket.toMs) ? shortDuration(bucket.toMs) : 'more'}
      </span>
    </button>
  );
}

function ToolTable({ rows }: { rows: readonly ToolLatency[] }) {
  return (
    <div class="tool-latencies">
      <table>
        <caption class="unseen">How long the calls of each tool took</caption>
        <thead>
          <tr>
            <th scope="col">Tool</th>
            <th scope="col" class="wide">
              Server
            </th>
            <th scope="col">Calls</th>
            <th scope="col">p50</th>
            <th scope="col">p95</th>
            <th scope="col">Max</th>
            <th scope="col">Errors</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MAX_TOOLS).map((row) => (
            <ToolRow
              key={`${row.server}\n${row.key}\n${row.name}`}
              row={row}
              isAlone={rows.every(
                ({ key, name, server }) =>
                  key !== row.key || name !== row.name || server === row.server,
              )}
            />
          ))}
        </tbody>
      </table>
      {rows.length > MAX_TOOLS && (
        <p class="remark">
          {MAX_TOOLS} of {formatCount(rows.length)} are shown. Filter to see others.
        </p>
      )}
    </div>
  );
}

function ToolRow({ row, isAlone }: { row: ToolLatency; isAlone: boolean }) {
  const { server, key, name, count, p50Ms, p95Ms, maxMs, errors } = row;
  const isChosen = filterValues(filterText.value, key).join() === name;
  const choose = (): void => {
    const others = withTerm(withTerm(filterText.value, 'tool', []), 'method', []);
    const chosen = isChosen ? others : withTerm(others, key, [quoted(name)]);
    // A tool of that name may be on another server.
    filterText.value = isChosen || isAlone ? chosen : withTerm(chosen, 'server', [quoted(server)]);
  };
  return (
    <tr class={isChosen ? 'chosen' : ''}>
      <th scope="row">
        <button type="button" class="plain" aria-pressed={isChosen} onClick={choose}>
          <Line text={name} maxLength={60} />
        </button>
      </th>
      <td class="wide">
        <Line text={server} maxLength={40} />
      </td>
      <td class="number">{formatCount(count)}</td>
      <td class="number">{formatDuration(p50Ms)}</td>
      <td class="number">{formatDuration(p95Ms)}</td>
      <td class="number">{formatDuration(maxMs)}</td>
      <td class={`number ${errors > 0 ? 'tone-bad' : ''}`}>{formatCount(errors)}</td>
    </tr>
  );
}

function valuesOf(bucket: DurationBucket): string {
  return durationValues(bucket).join(' ');
}

function rangeOf({ fromMs, toMs }: DurationBucket): string {
  if (fromMs === 0) return `at most ${shortDuration(toMs)}`;
  const from = `more than ${shortDuration(fromMs)}`;
  return Number.isFinite(toMs) ? `${from}, at most ${shortDuration(toMs)}` : from;
}

/** A bound as short as it can be: `200 ms`, `2 s`. */
function shortDuration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}
