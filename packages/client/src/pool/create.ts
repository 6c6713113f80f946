import type { TargetOption } from '../dial/target.js';
import type { AnyTools, ToolTypes } from '../client/tool-types.js';
import type { LongwirePool } from './contract.js';
import { ConnectionPool } from './pool.js';
import type { PoolOptions } from './types.js';

/**
 * Makes a pool of connections to a server, or to several that are the same to the program. Nothing
 * is dialled until the first call. `Tools` is what is known of the tools when the program is compiled: see
 * {@link ToolTypes}.
 *
 * @throws TypeError for a target or an option that is wrong.
 */
export function createPool<Tools extends ToolTypes<Tools> = AnyTools>(
  target: TargetOption | readonly TargetOption[],
  options: PoolOptions = {},
): LongwirePool<Tools> {
  // What `Tools` says is the word of the program.
  const pool: LongwirePool = new ConnectionPool(target, options);
  return pool as LongwirePool<Tools>;
}
