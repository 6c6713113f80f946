/** What `… ms` stands for: a busy machine takes seconds. */
const DURATION = String.raw`\d[\d.]* m?s`;

/**
 * Whether lines are as a page shows them: `…` alone stands for any lines, in a line for any text. How
 * far apart columns stand does not count: where the page has another port, they are elsewhere.
 */
export function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return actual.length === 0;
  if (first.trim() === '…') {
    return actual.some((_line, at) => matches(rest, actual.slice(at))) || matches(rest, []);
  }
  const [line, ...below] = actual;
  return line !== undefined && lineMatches(first, line) && matches(rest, below);
}

function lineMatches(expected: string, actual: string): boolean {
  const pattern = escaped(even(expected)).replaceAll('… ms', DURATION).replaceAll('…', '.*');
  return new RegExp(`^${pattern}$`, 'su').test(even(actual));
}

function even(line: string): string {
  return line.trimEnd().replaceAll(/(?<=\S) {2,}/g, '  ');
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
