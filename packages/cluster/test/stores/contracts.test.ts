import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { describeEventBus } from '../../../server/test/contracts/event-bus.ts';
import type { Make } from '../../../server/test/contracts/made.ts';
import { describeRateStore } from '../../../server/test/contracts/rate-store.ts';
import { describeTaskStore } from '../../../server/test/contracts/task-store.ts';
import { RedisEventBus } from '../../src/stores/redis-event-bus.ts';
import { RedisRateStore } from '../../src/stores/redis-rate-store.ts';
import { RedisTaskStore } from '../../src/stores/redis-task-store.ts';
import { BareConnection } from '../support/bare-connection.ts';

expectNothingLeftOpen();

let redis: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
});

let made = 0;

/** Each has a prefix of its own: as if the server were empty. The clock is that of the test. */
function inGivenTime<Store, Options>(
  make: (connection: BareConnection, options: Options) => Store,
): Make<Store, Options> {
  return async (options) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const connection = new BareConnection(redis.url, `test-${++made}:`);
    return {
      store: make(connection, options),
      advance: async (milliseconds) => void vi.advanceTimersByTime(milliseconds),
      close: async () => {
        vi.useRealTimers();
        await connection.close();
      },
    };
  };
}

const clock = (): number => Date.now();

describeTaskStore(
  'RedisTaskStore',
  inGivenTime((connection, limits) => new RedisTaskStore(connection, limits, clock)),
  { runs: 25 },
);
describeRateStore(
  'RedisRateStore',
  inGivenTime((connection) => new RedisRateStore(connection, clock)),
  { runs: 50 },
);
describeEventBus('RedisEventBus', async () => {
  const connection = new BareConnection(redis.url, `test-${++made}:`);
  const store = new RedisEventBus(connection);
  return {
    store,
    advance: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    close: async () => {
      store.close();
      await connection.close();
    },
  };
});

it('leaves no key that stays for ever', async () => {
  const connection = new BareConnection(redis.url);
  const keys = await connection.redis.keys('test-*');
  expect(keys.length).toBeGreaterThan(10);
  const endless: string[] = [];
  for (const key of keys) if ((await connection.redis.pttl(key)) === -1) endless.push(key);
  expect(endless).toEqual([]);
  await connection.close();
});
