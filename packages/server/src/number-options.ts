import { checkCount, checkCountOrAny, checkDurationMs } from './limits/check.js';

// The options of the kit that are numbers: their defaults and bounds.

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
