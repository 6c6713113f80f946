import type { Cluster, Redis } from 'ioredis';
import type { StoreConnection } from '../stores/store-connection.js';

/** The connection to Redis, as far as queues and workers need it. */
export interface WorkConnection extends StoreConnection {
  /** A connection of its own, which reconnects and waits by itself; its caller closes it. */
  duplicate(): Redis | Cluster;
}
