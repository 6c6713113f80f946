const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const four = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });
const compact = new Intl.NumberFormat('en-US', {
  maximumSignificantDigits: 4,
  notation: 'compact',
});

/** A count with its thousands apart: `12,345`. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** A rate, or a number of any size, with as many digits as say something: `0`, `0.3`, `4.2`, `120`. */
export function formatRate(perSecond: number): string {
  return perSecond >= 10 ? whole.format(perSecond) : String(Number(perSecond.toFixed(1)));
}

/** A size: `812 B`, `3.4 KiB`, `2 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const [size, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KiB'] : [bytes / 1024 ** 2, 'MiB'];
  return `${size < 10 ? Number(size.toFixed(1)) : whole.format(size)} ${unit}`;
}

/** A number that a server measured, with four digits: `0.4213`, `1,024`, `12.5M`, `1e+300`. */
export function formatMeasured(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return String(Number(value.toPrecision(4)));
  return (size >= 1e6 ? compact : four).format(value);
}
