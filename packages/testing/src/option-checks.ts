/** A timer of more than this would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * An object of options with no other names than these.
 *
 * @throws TypeError that names the option; `name` is '' for the options as a whole.
 */
export function checkGroup(name: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name || 'options'}: must be an object with ${known.join(', ')}`);
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const path = name === '' ? key : `${name}.${key}`;
    throw new TypeError(`${path}: there is no such option; there are ${known.join(', ')}`);
  }
}

/**
 * One of these words.
 *
 * @throws TypeError that names the option.
 */
export function checkWord(name: string, value: unknown, words: readonly string[]): void {
  if ((words as readonly unknown[]).includes(value)) return;
  throw new TypeError(`${name}: must be one of ${words.join(', ')}`);
}

/**
 * A number from `least` to `most`, `most` included.
 *
 * @throws TypeError that names the option.
 */
export function checkNumber(
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_VALUE,
): void {
  if (typeof value === 'number' && value >= least && value <= most) return;
  const limit = most < Number.MAX_VALUE ? `from ${least} to ${most}` : `from ${least} on`;
  throw new TypeError(`${name}: must be a number ${limit}`);
}

/**
 * A duration that a timer can wait for, in milliseconds.
 *
 * @throws TypeError that names the option.
 */
export function checkDuration(name: string, value: unknown): void {
  checkNumber(name, value, 0, MAX_TIMER_MS);
}
