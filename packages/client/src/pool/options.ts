import { CLIENT_OPTION_NAMES } from '../client/options.js';
import type { ClientOptions } from '../client/types.js';
import { checkOptionNames, checkPositive } from '../connection/options.js';
import type { PoolOptions } from './types.js';

/** Defaults of a pool; durations in milliseconds. */
export const POOL_DEFAULTS: Omit<ResolvedPoolOptions, 'client'> = {
  size: 4,
  maxPerConnection: 1,
  maxQueued: 1000,
  idleMs: 60_000,
  leaveOutMs: 10_000,
};

const POOL_OPTION_NAMES: readonly string[] = [...Object.keys(POOL_DEFAULTS), 'keepAlive'];

/** Options with the defaults filled in. */
export interface ResolvedPoolOptions {
  size: number;
  maxPerConnection: number;
  maxQueued: number;
  idleMs: number;
  leaveOutMs: number;
  /** Those of each connection. */
  client: ClientOptions;
}

/**
 * Checks a pool's own options and fills in the defaults; those of its connections are checked when
 * a client is made of them.
 *
 * @throws TypeError that names the option.
 */
export function resolvePoolOptions(options: PoolOptions): ResolvedPoolOptions {
  checkOptionNames(options, [...CLIENT_OPTION_NAMES, ...POOL_OPTION_NAMES]);
  const { size, maxPerConnection, maxQueued, idleMs, keepAlive, leaveOutMs, ...client } = options;
  checkCount('size', size, 1);
  checkCount('maxPerConnection', maxPerConnection, 1);
  checkCount('maxQueued', maxQueued, 0);
  if (idleMs !== 0) checkPositive('idleMs', idleMs);
  checkPositive('leaveOutMs', leaveOutMs);
  if (keepAlive !== undefined && typeof keepAlive !== 'boolean') {
    throw new TypeError('keepAlive: neither true nor false');
  }
  if (keepAlive === false && idleMs !== undefined) {
    throw new TypeError('idleMs: says for how long what keepAlive: false does not allow');
  }
  return {
    size: size ?? POOL_DEFAULTS.size,
    maxPerConnection: maxPerConnection ?? POOL_DEFAULTS.maxPerConnection,
    maxQueued: maxQueued ?? POOL_DEFAULTS.maxQueued,
    idleMs: keepAlive === false ? 0 : (idleMs ?? POOL_DEFAULTS.idleMs),
    leaveOutMs: leaveOutMs ?? POOL_DEFAULTS.leaveOutMs,
    client,
  };
}

function checkCount(name: string, value: number | undefined, least: number): void {
  if (value === undefined || value === Infinity) return;
  if (!Number.isInteger(value) || value < least) {
    throw new TypeError(
      `${name}: ${JSON.stringify(value)} is not a whole number from ${least}, or Infinity`,
    );
  }
}
