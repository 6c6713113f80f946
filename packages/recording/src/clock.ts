/** How far the clock of the day may be from the steady one before it is believed again. */
const MAX_DRIFT_MS = 50;

/**
 * Makes a clock of milliseconds since 1970 with fractions, which does not jump between two lines of one
 * call. It follows the clock of the day where that was set, or the machine slept.
 */
export function createClock(): () => number {
  let offset = performance.timeOrigin;
  return () => {
    const at = offset + performance.now();
    const drift = Date.now() - at;
    if (Math.abs(drift) <= MAX_DRIFT_MS) return at;
    offset += drift;
    return at + drift;
  };
}

/** Thousandths of a millisecond are enough. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
