/** Many connections to one service, behind the interface of one client. */
export { createPool } from './create.js';
export type { LongwirePool } from './contract.js';
export type { BreakerOptions, BreakerState, BreakerStatus } from '../health/breaker.js';
export type { PoolEvents, PoolOptions, PoolStatus, PoolTargetStatus } from './types.js';
