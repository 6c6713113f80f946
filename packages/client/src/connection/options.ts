import type { ChannelOptions, Dialect } from '../channels/channel.js';
import { headerSource } from '../channels/headers.js';

/** How long things may take, in milliseconds. */
export interface Timeouts {
  /** From the first packet to a finished handshake, all candidates together. Default 10 000. */
  connectMs?: number;
}

/** Options of a connection. */
export interface ConnectionOptions extends Partial<ChannelOptions> {
  /** How long things may take. */
  timeouts?: Timeouts;
  /** Speak this dialect and no other. Default: found out. */
  transport?: Dialect;
}

/** Defaults of a connection; durations in milliseconds. */
export const CONNECTION_DEFAULTS: { connectMs: number; maxInFlight: number } = {
  connectMs: 10_000,
  maxInFlight: 10_000,
};

/** The names of a connection's options. */
export const CONNECTION_OPTION_NAMES: readonly (keyof ConnectionOptions)[] = [
  'headers',
  'auth',
  'limits',
  'dispatcher',
  'timeouts',
  'transport',
];

/** A timer of more than this would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

const DIALECTS: readonly Dialect[] = ['sse', 'tool-events'];

/** Options with the defaults filled in. */
export interface ResolvedConnectionOptions extends ConnectionOptions {
  connectMs: number;
  maxInFlight: number;
}

/**
 * Checks the options of a connection and fills in the defaults.
 *
 * @throws TypeError that names the option.
 */
export function resolveConnectionOptions(options: ConnectionOptions): ResolvedConnectionOptions {
  const { headers, limits, timeouts, transport, dispatcher, auth } = options;
  checkGroup('timeouts', timeouts, ['connectMs']);
  checkGroup('limits', limits, ['maxEventBytes', 'maxInFlight']);
  checkGroup('auth', auth, ['onChallenge']);
  checkPositive('timeouts.connectMs', timeouts?.connectMs);
  checkPositive('limits.maxEventBytes', limits?.maxEventBytes);
  checkPositive('limits.maxInFlight', limits?.maxInFlight);
  if (headers !== undefined) headerSource(headers);
  if (transport !== undefined && !DIALECTS.includes(transport)) {
    throw new TypeError(
      `transport: ${JSON.stringify(transport)} is none of ${DIALECTS.join(', ')}`,
    );
  }
  if (dispatcher !== undefined && typeof dispatcher.dispatch !== 'function') {
    throw new TypeError('dispatcher: not an undici Dispatcher');
  }
  if (auth?.onChallenge !== undefined && typeof auth.onChallenge !== 'function') {
    throw new TypeError('auth.onChallenge: not a function');
  }
  return {
    ...options,
    connectMs: Math.min(timeouts?.connectMs ?? CONNECTION_DEFAULTS.connectMs, MAX_TIMER_MS),
    maxInFlight: limits?.maxInFlight ?? CONNECTION_DEFAULTS.maxInFlight,
  };
}

/** Checks a group of options, if it is given. */
export function checkGroup(name: string, group: unknown, known: readonly string[]): void {
  if (group === undefined) return;
  if (typeof group !== 'object' || group === null) throw new TypeError(`${name}: not an object`);
  checkOptionNames(group, known, `${name}.`);
}

/**
 * Refuses options that do not exist: a misspelt one would be ignored without a word.
 *
 * @throws TypeError that names the option.
 */
export function checkOptionNames(options: object, known: readonly string[], prefix = ''): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`${prefix}${name}: no such option; there are ${known.join(', ')}`);
    }
  }
}

/**
 * Checks a number that must be above zero, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkPositive(name: string, value: number | undefined): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !(value > 0)) {
    throw new TypeError(`${name}: ${String(value)} is not a number above 0`);
  }
}
