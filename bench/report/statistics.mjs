/**
 * @param {ArrayLike<number>} sorted ascending
 * @param {number} fraction 0.5 for the median
 */
export function percentile(sorted, fraction) {
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * fraction));
  return sorted[index] ?? Number.NaN;
}

/**
 * @typedef {{ median: number, min: number, max: number }} Spread
 * @param {readonly number[]} values
 * @returns {Spread}
 */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 0 ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/**
 * The figures of one by those of another, taken round by round, since what disturbs the machine
 * disturbs neighbours alike.
 *
 * @param {readonly number[]} figures by round
 * @param {readonly number[]} others by round
 */
export function ratioSpread(figures, others) {
  return spread(
    figures.flatMap((figure, round) => {
      const other = others[round];
      return other === undefined ? [] : [figure / other];
    }),
  );
}
