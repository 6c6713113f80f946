import { useEffect, useRef } from 'preact/hooks';
import type { Second } from '@longwire/recording';
import { counted } from '@longwire/recording/shown';

/** How many seconds the plot shows. */
export const PLOTTED_SECONDS = 60;

const HEIGHT = 44;
const GAP = 1;
/** Fewer calls a second than that are drawn low, not as a full plot. */
const LEAST_MAX = 4;

/** Calls that ended in each second of the last minute; those that failed at the foot of each bar. */
export function MinutePlot({ seconds, theme }: { seconds: readonly Second[]; theme: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, seconds);
  }, [seconds.at(-1)?.second, theme, canvas.current?.clientWidth]);
  const calls = seconds.reduce((sum, one) => sum + one.calls + one.errors, 0);
  const errors = seconds.reduce((sum, one) => sum + one.errors, 0);
  return (
    <figure class="minute-plot">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Last minute: ${counted(calls, 'call')}, ${counted(errors, 'error')}`}
      />
      <figcaption>
        Last minute: {counted(calls, 'call')}, {counted(errors, 'error')}
      </figcaption>
    </figure>
  );
}

function draw(canvas: HTMLCanvasElement, seconds: readonly Second[]): void {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(ratio, ratio);
  const colours = getComputedStyle(canvas);
  const max = Math.max(LEAST_MAX, ...seconds.map((one) => one.calls + one.errors));
  const step = width / seconds.length;
  context.fillStyle = colours.borderBottomColor;
  context.fillRect(0, HEIGHT - 1, width, 1);
  for (const [index, { calls, errors }] of seconds.entries()) {
    const high = (count: number): number => (count / max) * (HEIGHT - 2);
    const left = index * step;
    context.fillStyle = colours.color;
    context.fillRect(left, HEIGHT - 1 - high(calls + errors), step - GAP, high(calls));
    context.fillStyle = colours.outlineColor;
    context.fillRect(left, HEIGHT - 1 - high(errors), step - GAP, high(errors));
  }
}
