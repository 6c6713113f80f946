import { encodePng } from './png.js';

const WIDTH = 480;
const HEIGHT = 270;
const MARGIN = 24;
const LINES = 4;

const PALETTE = [0xffffff, 0xe4e7eb, 0x52606d, 0x2f6fde, 0xd64545] as const;
const GRID = 1;
const AXIS = 2;
const ABOVE = 3;
const BELOW = 4;

/** Draws a bar for each value, up or down from a line at zero, and returns it as a PNG file. */
export function drawBarChart(values: readonly number[]): Buffer {
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  const fill = (x0: number, y0: number, x1: number, y1: number, colour: number): void => {
    for (let y = y0; y < y1; y++) pixels.fill(colour, y * WIDTH + x0, y * WIDTH + x1);
  };

  const top = Math.max(0, ...values);
  const bottom = Math.min(0, ...values);
  const span = top - bottom || 1;
  const rowOf = (value: number): number =>
    Math.round(MARGIN + ((top - value) / span) * (HEIGHT - 2 * MARGIN));

  for (let line = 0; line <= LINES; line++) {
    const y = rowOf(bottom + (span * line) / LINES);
    fill(MARGIN, y, WIDTH - MARGIN, y + 1, GRID);
  }
  const zero = rowOf(0);
  const slot = (WIDTH - 2 * MARGIN) / values.length;
  for (const [n, value] of values.entries()) {
    const left = Math.round(MARGIN + slot * (n + 0.15));
    const right = Math.max(left + 1, Math.round(MARGIN + slot * (n + 0.85)));
    if (value >= 0) fill(left, rowOf(value), right, zero, ABOVE);
    else fill(left, zero, right, rowOf(value), BELOW);
  }
  fill(MARGIN, zero, WIDTH - MARGIN, zero + 2, AXIS);
  fill(MARGIN, MARGIN, MARGIN + 2, HEIGHT - MARGIN + 2, AXIS);
  return encodePng({ width: WIDTH, height: HEIGHT, palette: PALETTE, pixels });
}
