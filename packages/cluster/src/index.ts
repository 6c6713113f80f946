export { connect } from './connect.js';
export type { RedisConnection, RunOptions } from './connections/redis-connection.js';
export type { RedisOptions } from './options.js';
export { redis } from './redis.js';
export { sealed, type SealedOptions } from './sealed/sealed.js';
export type { WorkedCall } from './work/call-worker.js';
export { startWorker, type StartedWorker, type WorkerOptions } from './work/start-worker.js';
export type { WorkerLog } from './work/worker-log.js';
