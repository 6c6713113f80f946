import type { ClientOptions } from '../client/types.js';
import type { BreakerOptions } from '../health/breaker.js';
import { resolveBreaker } from '../health/breaker-gate.js';
import { CLIENT, POOL } from '../options/client-table.js';
import { checkOptions, withDefaults } from '../options/option.js';
import type { PoolOptions } from './types.js';

/** Options with the defaults filled in. */
export interface ResolvedPoolOptions {
  size: number;
  maxPerConnection: number;
  maxQueued: number;
  idleMs: number;
  ejectMs: number;
  breaker: Required<BreakerOptions> | undefined;
  /** Those of each connection. */
  client: ClientOptions;
}

const POOL_AND_CLIENTS = { ...CLIENT, ...POOL };

/**
 * Checks the options of a pool and fills in the defaults of its own; those of its connections are
 * filled in when a client is made of them.
 *
 * @throws TypeError that names the option.
 */
export function resolvePoolOptions(options: PoolOptions): ResolvedPoolOptions {
  checkOptions(options, POOL_AND_CLIENTS);
  const { size, maxPerConnection, maxQueued, idleMs, keepAlive, ejectMs, breaker, ...client } =
    options;
  if (keepAlive === false && idleMs !== undefined) {
    throw new TypeError('idleMs: says for how long what keepAlive: false does not allow');
  }
  const own = withDefaults(POOL, {
    size,
    maxPerConnection,
    maxQueued,
    idleMs: keepAlive === false ? 0 : idleMs,
    ejectMs,
  });
  return { ...own, breaker: resolveBreaker(breaker), client };
}
