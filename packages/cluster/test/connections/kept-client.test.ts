import { once } from 'node:events';
import { expect, it } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { KeptClient } from '../../src/connections/kept-client.ts';
import { openClient, type Client } from '../../src/connections/open-client.ts';
import { resolveRedisOptions } from '../../src/options.ts';

const timers = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

it('that is closed, or made anew, where its connection has ended keeps no process alive', async () => {
  await using server = await startRedis();
  const address = { urls: [server.url], options: resolveRedisOptions({}) };
  const made: Client[] = [];
  const open = (): Client => {
    const client = openClient(address);
    made.push(client);
    return client;
  };
  const kept = new KeptClient(open, { ready: () => {} });
  const [client] = made as [Client];
  await once(client, 'ready');
  const ended = once(client, 'end');
  await server.kill();
  await ended;
  const before = timers();
  kept.renew(client);
  expect(timers()).toBe(before);
  kept.close();
  // The one that was to make the next.
  expect(timers()).toBe(before - 1);
});
