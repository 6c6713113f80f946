/** What means something in a pattern; a backslash takes its meaning away. */
const special = /[\\*?{}[\]()!+@|]/g;

/** The pattern that matches this name and no other. */
export function exactPattern(name: string): string {
  return name.replace(special, '\\$&');
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
