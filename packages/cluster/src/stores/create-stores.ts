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
  /** Before the connection is closed. */
  close(): void;
}

/**
 * Makes them on a connection, which stays its maker's.
 *
 * @throws ClusterAwayError when it cannot be learned which keys are revoked.
 */
export async function createStores(
  connection: StoreConnection,
  { busFailed }: { readonly busFailed?: BusFailed } = {},
): Promise<SharedStores> {
  const revocations = new RedisRevocationStore(connection);
  await connection.subscribed();
  try {
    await revocations.look();
  } catch (error) {
    revocations.close();
    throw error;
  }
  const bus = new RedisEventBus(connection, busFailed);
  return {
    tasks: new RedisTaskStore(connection),
    rates: new RedisRateStore(connection),
    bus,
    revocations,
    close: () => {
      bus.close();
      revocations.close();
    },
  };
}
