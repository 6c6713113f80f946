import picomatch from 'picomatch';

/**
 * Whether one of the patterns matches a name. Names are no paths: `*` is any text, slashes and a
 * leading dot among it, and `!` is a character.
 */
export function matcherOf(patterns: readonly string[]): (name: string) => boolean {
  return picomatch([...patterns], { bash: true, dot: true, nonegate: true });
}

/**
 * Checks a list of patterns, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkPatterns(name: string, patterns: unknown): void {
  if (patterns === undefined) return;
  const isList = Array.isArray(patterns) && patterns.length > 0;
  if (!isList || patterns.some((pattern) => typeof pattern !== 'string' || pattern === '')) {
    throw new TypeError(`${name}: not a list of patterns such as read_*`);
  }
}
