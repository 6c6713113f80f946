/** The longest delay of a Node timer; a longer one would fire at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/**
 * A whole number above 0.
 *
 * @throws TypeError that names the option.
 */
export function checkCount(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new TypeError(`${name} must be a whole number above 0`);
}

/**
 * A whole number that is not below `least`, or `Infinity`.
 *
 * @throws TypeError that names the option.
 */
export function checkCountOrAny(name: string, value: unknown, least: 0 | 1 = 1): number {
  if (value === Infinity) return Infinity;
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw new TypeError(`${name} must be a whole number not below ${least}, or Infinity`);
}

/**
 * Milliseconds that a timer can wait, or `Infinity`.
 *
 * @throws TypeError that names the option.
 */
export function checkDurationMs(name: string, value: unknown): number {
  if (value === Infinity) return Infinity;
  if (typeof value === 'number' && value > 0 && value <= MAX_TIMER_MS) return value;
  throw new TypeError(`${name} must be above 0 and at most ${MAX_TIMER_MS}, or Infinity`);
}

/**
 * An object with no other names than these.
 *
 * @throws TypeError that names the option.
 */
export function checkNames(
  name: string,
  value: unknown,
  allowed: readonly string[],
): Readonly<Record<string, unknown>> {
  const object = checkObject(name, value);
  for (const key of Object.keys(object)) {
    if (!allowed.includes(key)) {
      throw new TypeError(`${name}.${key} is not an option; there are ${allowed.join(', ')}`);
    }
  }
  return object;
}

/**
 * An object.
 *
 * @throws TypeError that names the option.
 */
export function checkObject(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new TypeError(`${name} must be an object`);
}

/**
 * `true` or `false`; without a value, `false`.
 *
 * @throws TypeError that names the option.
 */
export function checkFlag(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new TypeError(`${name} must be true or false`);
}
