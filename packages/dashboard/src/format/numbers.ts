export { formatBytes, formatCount, formatRate } from '@longwire/recording/shown';

const four = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });
const compact = new Intl.NumberFormat('en-US', {
  maximumSignificantDigits: 4,
  notation: 'compact',
});

/** A number that a server measured, with four digits: `0.4213`, `1,024`, `12.5M`, `1e+300`. */
export function formatMeasured(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return String(Number(value.toPrecision(4)));
  return (size >= 1e6 ? compact : four).format(value);
}
