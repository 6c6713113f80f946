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

/** The options of the kit that are numbers, and their defaults. */
const DURATIONS: Readonly<Record<DurationName, number>> = {
  heartbeatMs: 15_000,
  retryMs: 1_000,
  sessionIdleMs: 30 * 60_000,
  sessionLifetimeMs: Infinity,
  resumeMs: 60_000,
  hibernateMs: 60_000,
  createTimeoutMs: 60_000,
};

const COUNTS: Readonly<Record<CountName, number>> = {
  maxSessions: 10_000,
  maxSessionsPerPrincipal: 1_000,
  maxSessionsPerAddress: 100,
  maxSubscriptions: 10_000,
  maxInFlight: 1_000,
  maxJsonDepth: 200,
  maxJsonValues: 1_000_000,
  maxBodyBytes: 4 * 1024 * 1024,
  maxBufferedBytes: 64 * 1024 * 1024,
  maxTotalBufferedBytes: 512 * 1024 * 1024,
};

type DurationName =
  | 'heartbeatMs'
  | 'retryMs'
  | 'sessionIdleMs'
  | 'sessionLifetimeMs'
  | 'resumeMs'
  | 'hibernateMs'
  | 'createTimeoutMs';
type CountName =
  | 'maxSessions'
  | 'maxSessionsPerPrincipal'
  | 'maxSessionsPerAddress'
  | 'maxSubscriptions'
  | 'maxInFlight'
  | 'maxJsonDepth'
  | 'maxJsonValues'
  | 'maxBodyBytes'
  | 'maxBufferedBytes'
  | 'maxTotalBufferedBytes';

/** Limits that can be switched off. */
const UNLIMITED: ReadonlySet<CountName> = new Set([
  'maxSessionsPerPrincipal',
  'maxSessionsPerAddress',
  'maxSubscriptions',
  'maxInFlight',
]);

/** Every number, filled in. */
export type ResolvedNumbers = Readonly<Record<DurationName | CountName, number>>;

/** The names of these options. */
export const NUMBER_NAMES: readonly string[] = [...Object.keys(DURATIONS), ...Object.keys(COUNTS)];

/**
 * Checks the numbers among the options and fills in the defaults.
 *
 * @throws TypeError that names the wrong one.
 */
export function resolveNumbers(
  options: Readonly<Partial<Record<DurationName | CountName, number>>>,
): ResolvedNumbers {
  return {
    ...numbers(DURATIONS, (name) => checkDurationMs(name, given(options[name], DURATIONS[name]))),
    ...numbers(COUNTS, (name) => {
      const check = UNLIMITED.has(name) ? checkCountOrAny : checkCount;
      return check(name, given(options[name], COUNTS[name]));
    }),
  };
}

/** Whatever is given: `null` is no number, and not the default either. */
function given(value: number | undefined, byDefault: number): number {
  return value === undefined ? byDefault : value;
}

function numbers<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
  check: (name: Name) => number,
): Record<Name, number> {
  const entries = (Object.keys(defaults) as Name[]).map((name) => [name, check(name)]);
  return Object.fromEntries(entries) as Record<Name, number>;
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
