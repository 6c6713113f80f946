/** For so long after a line the next ones are only counted. */
const QUIET_MS = 1_000;

/**
 * Shows what fails, but not each of many: where a server is away, every request of every client says so.
 *
 * @param show a line of it
 */
export function createFailureLines(
  show: (line: string) => void,
  now: () => number = Date.now,
): (line: string) => void {
  let shownAt = -Infinity;
  let leftOut = 0;
  return (line) => {
    if (now() - shownAt < QUIET_MS) {
      leftOut++;
      return;
    }
    show(leftOut === 0 ? line : `${line} (and ${leftOut} more before)`);
    shownAt = now();
    leftOut = 0;
  };
}
