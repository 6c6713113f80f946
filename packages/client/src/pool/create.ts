import type { TargetOption } from '../dial/target.js';
import { LongwirePool } from './pool.js';
import type { PoolOptions } from './types.js';

/**
 * Makes a pool of connections to a server, or to several that are the same to the program. Nothing
 * is dialled until the first call.
 *
 * @throws TypeError for a target or an option that is wrong.
 */
export function createPool(
  target: TargetOption | readonly TargetOption[],
  options: PoolOptions = {},
): LongwirePool {
  return new LongwirePool(target, options);
}
