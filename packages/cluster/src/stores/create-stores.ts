import { RedisEventBus, type BusFailed } from './redis-event-bus.js';
import { RedisRateStore } from './redis-rate-store.js';
import { RedisRevocationStore } from './redis-revocation-store.js';
import { RedisTaskStore } from './redis-task-store.js';
import type { StoreConnection } from './store-connection.js';

/** What all nodes share, beside their sessions. */
export interface SharedStores {
  readonly tasks: RedisTaskStore;
  readonly rates: RedisRateStore;
  readonly bus: RedisEventBus;
  readonly revocations: RedisRevocationStore;
  /**
   * Learns what a node must know before it serves.
   *
   * @throws ClusterAwayError
   */
  start(): Promise<void>;
  /** Before the connection is closed. */
  close(): void;
}

/** Makes them on a connection, which stays its maker's. */
export function createStores(
  connection: StoreConnection,
  { busFailed }: { readonly busFailed?: BusFailed } = {},
): SharedStores {
  const revocations = new RedisRevocationStore(connection);
  const bus = new RedisEventBus(connection, busFailed);
  const rates = new RedisRateStore(connection);
  return {
    tasks: new RedisTaskStore(connection),
    rates,
    bus,
    revocations,
    start: async () => {
      await connection.subscribed();
      await revocations.look();
    },
    close: () => {
      bus.close();
      rates.close();
      revocations.close();
    },
  };
}
