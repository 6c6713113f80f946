/** Many connections to one service, behind the interface of one client. */
export { createPool } from './create.js';
export type { LongwirePool } from './contract.js';
export type { PoolOptions, PoolStatus, PoolTargetStatus } from './types.js';
