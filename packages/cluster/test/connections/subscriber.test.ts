import { Redis } from 'ioredis';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { openClient, type Client } from '../../src/connections/open-client.ts';
import { Subscriber } from '../../src/connections/subscriber.ts';
import { resolveRedisOptions } from '../../src/options.ts';
import { until } from '../support/nodes.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it('tells what may have been missed before it tells what was said since', async () => {
  const options = resolveRedisOptions({});
  const subscriber = new Subscriber(
    () => openClient({ urls: [server.url], options, isCluster: false }),
    (error) => {
      throw error;
    },
  );
  const admin = new Redis(server.url);
  const told: (number | 'missed')[] = [];
  subscriber.subscribe('numbers', (payload) => told.push(Number(payload)));
  subscriber.onMissed(() => told.push('missed'));
  await subscriber.settled(5_000);
  let last = 0;
  let isOver = false;
  const publishing = (async () => {
    while (!isOver) {
      await Promise.all(Array.from({ length: 50 }, () => admin.publish('numbers', `${++last}`)));
    }
  })();
  for (let time = 1; time <= 5; time++) {
    const before = last;
    await until(() => told.some((one) => one !== 'missed' && one > before));
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => told.filter((one) => one === 'missed').length === time);
  }
  isOver = true;
  await publishing;
  // Whatever is not there was said to be missed.
  let expected = 1;
  let isTold = false;
  const unsaid: number[] = [];
  for (const one of told) {
    if (one === 'missed') {
      isTold = true;
      continue;
    }
    if (one !== expected && !isTold) unsaid.push(one);
    expected = one + 1;
    isTold = false;
  }
  expect(unsaid).toEqual([]);
  subscriber.close();
  admin.disconnect();
});

it('knows that its user may not listen also between two connections', async () => {
  const admin = new Redis(server.url);
  await admin.call('ACL', 'SETUSER', 'deaf', 'on', 'nopass', '~*', 'resetchannels', '+@all');
  const options = resolveRedisOptions({});
  const url = server.url.replace('redis://', 'redis://deaf:any@');
  const made: Client[] = [];
  const open = (): Client => {
    const client = openClient({ urls: [url], options, isCluster: false });
    made.push(client);
    return client;
  };
  const subscriber = new Subscriber(open, () => {});
  subscriber.subscribe('numbers', () => {});
  await once(made[0] as Client, 'end');
  await expect(subscriber.settled(0)).rejects.toThrow('Redis lets this user listen to no channels');
  subscriber.close();
  admin.disconnect();
});
