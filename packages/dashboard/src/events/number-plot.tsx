import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import { formatCount, formatMeasured, formatShortClock } from '@longwire/recording/shown';
import { visibleLine } from '../format/visible.js';
import { Line } from '../parts/plain-text.js';
import { isDark } from '../state/theme.js';
import { alignedData, type Series } from './numbers.js';

/** Servers that have a line; the styles have as many colours. */
const MAX_LINES = 6;
const HEIGHT = 130;
const DASHES = [[], [6, 3], [2, 3], [10, 3, 2, 3], [1, 2], [12, 4]] as const;
const FONT = '11px system-ui, sans-serif';

/** One number over time, a line for each server, and the same in a table. */
export function NumberPlot({
  name,
  series: all,
  onRemove,
}: {
  name: string;
  series: readonly Series[];
  onRemove: () => void;
}) {
  const series = all.slice(0, MAX_LINES);
  const figure = useRef<HTMLElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  /** The time under the pointer, in milliseconds. */
  const pointedAt = useSignal<number | undefined>(undefined);
  const data = useMemo(() => alignedData(series), [all]);
  const servers = series.map(({ server }) => server).join('\n');

  useEffect(() => {
    const room = figure.current?.querySelector<HTMLElement>('.plot-room');
    if (room === null || room === undefined) return undefined;
    const drawn = new UPlot(
      optionsOf(room, series, (at) => (pointedAt.value = at)),
      data as UPlot.AlignedData,
      room,
    );
    plot.current = drawn;
    const observer = new ResizeObserver(() =>
      drawn.setSize({ width: room.clientWidth, height: HEIGHT }),
    );
    observer.observe(room);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, [servers, isDark.value]);

  useEffect(() => plot.current?.setData(data as UPlot.AlignedData), [data]);

  const shown = visibleLine(name, 60);
  return (
    <figure class="number-plot" ref={figure} aria-label={`${shown} over time`}>
      <figcaption>
        <strong>{shown}</strong>
        {all.length > MAX_LINES && (
          <span class="remark">
            {MAX_LINES} of {formatCount(all.length)} servers
          </span>
        )}
        <button type="button" class="plain" onClick={onRemove}>
          Remove<span class="unseen"> the plot of {shown}</span>
        </button>
      </figcaption>
      <div class="plot-room" aria-hidden="true" />
      <table>
        <caption class="unseen">{shown} by server</caption>
        <thead>
          <tr>
            <th scope="col">Server</th>
            <th scope="col">
              {pointedAt.value === undefined ? 'Latest' : formatShortClock(pointedAt.value)}
            </th>
            <th scope="col">Least</th>
            <th scope="col">Most</th>
            <th scope="col">Values</th>
          </tr>
        </thead>
        <tbody>
          {series.map(({ server, times, values }, index) => (
            <tr key={server}>
              <th scope="row">
                <span class={`line-sign line-${index}`} aria-hidden="true" />
                <Line text={server} maxLength={40} />
              </th>
              <td class="number">{valueAt(times, values, pointedAt.value)}</td>
              <td class="number">{formatMeasured(values.reduce((a, b) => Math.min(a, b)))}</td>
              <td class="number">{formatMeasured(values.reduce((a, b) => Math.max(a, b)))}</td>
              <td class="number">{formatCount(values.length)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** The value that stood at a time: the one before it. */
function valueAt(
  times: readonly number[],
  values: readonly number[],
  at = Number.POSITIVE_INFINITY,
): string {
  const value = values[times.findLastIndex((time) => time <= at)];
  return value === undefined ? '–' : formatMeasured(value);
}

function optionsOf(
  room: HTMLElement,
  series: readonly Series[],
  onPointed: (at: number | undefined) => void,
): UPlot.Options {
  // A canvas knows no variables: what is beside it has its colours.
  const { color, borderTopColor } = getComputedStyle(room);
  const signs = room.parentElement?.querySelectorAll('.line-sign') ?? [];
  const axis: UPlot.Axis = {
    stroke: color,
    font: FONT,
    grid: { stroke: borderTopColor, width: 1 },
    ticks: { stroke: borderTopColor, width: 1, size: 4 },
  };
  return {
    width: room.clientWidth,
    height: HEIGHT,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    axes: [
      {
        ...axis,
        size: 26,
        space: 80,
        values: (_plot, times) => times.map((time) => formatShortClock(time * 1000)),
      },
      { ...axis, size: 56, values: (_plot, values) => values.map(formatMeasured) },
    ],
    series: [
      {},
      ...series.map((_series, index): UPlot.Series => ({
        stroke: signs[index] === undefined ? color : getComputedStyle(signs[index]).color,
        dash: [...(DASHES[index] ?? [])],
        width: 1.5,
        // The others spoke in between.
        spanGaps: true,
      })),
    ],
    hooks: {
      setCursor: [
        ({ cursor, data }) => {
          const time =
            cursor.idx === null || cursor.idx === undefined ? undefined : data[0][cursor.idx];
          onPointed(time === undefined ? undefined : time * 1000);
        },
      ],
    },
  };
}
