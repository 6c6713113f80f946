import { connect } from '@longwire/client';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { tellWhatIsMissing } from '../interop/support/missing.ts';
import { textOf } from '../interop/kit/support/callers.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { startCluster } from './support/cluster.mjs';
import { startRedis, whyNoRedis } from './support/redis-server.mjs';

/** What the tests of clusters stand on: if it does not do what it says, they say nothing. */
expectNothingLeftOpen();

const missing = await whyNoRedis();
tellWhatIsMissing({ missing });

it('asks the nodes in turn, without those that are gone, stopped or not started', async () => {
  await using cluster = await startCluster({ redis: false });
  await using client = await connect(cluster.url, { protocol: '2026-07-28' });
  const askAll = async (): Promise<string[]> => {
    const names = new Set<string>();
    for (let count = 0; count < 6; count++) names.add(textOf(await client.callTool('whoami')));
    return [...names].toSorted();
  };
  expect(await askAll()).toEqual(['node-1', 'node-2', 'node-3']);

  const [first, second, third] = cluster.nodes;
  await first?.kill();
  expect(await askAll()).toEqual(['node-2', 'node-3']);
  await first?.start();
  expect(await askAll()).toEqual(["node-1'", 'node-2', 'node-3']);

  expect(await second?.stop()).toBe(0);
  expect(await askAll()).toEqual(["node-1'", 'node-3']);

  // One that does nothing is passed over once it has not said that it is ready.
  third?.stall();
  await until(() => expect(cluster.proxy.unready()).toEqual(['node-3']));
  expect(await askAll()).toEqual(["node-1'"]);
  third?.go();
  await until(() => expect(cluster.proxy.unready()).toEqual([]));
  expect(await askAll()).toEqual(["node-1'", 'node-3']);
});

it('says 502 where a node dies with a call, and the journal that it had begun', async () => {
  await using cluster = await startCluster({ redis: false, nodes: 1 });
  await using client = await connect(cluster.url, { protocol: '2026-07-28' });
  await client.listTools();
  const call = client.callTool('write', { key: 'a', ms: 60_000 });
  const failed = expect(call).rejects.toMatchObject({ certainty: 'outcome-unknown' });
  await until(() => expect(cluster.journal()).toHaveLength(1));
  await cluster.nodes[0]?.kill();
  await failed;
  expect(cluster.journal()).toEqual([{ what: 'begins', tool: 'write', key: 'a', node: 'node-1' }]);
});

describe.skipIf(missing !== undefined)('the Redis of a test', () => {
  it.for([true, false])(
    'killed and started again, it has everything or nothing: persistent %j',
    async (isPersistent) => {
      await using server = await startRedis({ isPersistent });
      await using redis = openRedis(server.url);
      await redis.client.set('key', 'value');
      await server.kill();
      await server.start();
      expect(await redis.client.get('key')).toBe(isPersistent ? 'value' : null);
    },
  );

  it('paused, it answers later', async () => {
    await using server = await startRedis();
    await using redis = openRedis(server.url);
    await redis.client.set('key', 'value');
    server.pause();
    let isAnswered = false;
    const answer = redis.client.get('key').finally(() => (isAnswered = true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isAnswered).toBe(false);
    server.resume();
    expect(await answer).toBe('value');
  });
});

function openRedis(url: string): { client: Redis } & AsyncDisposable {
  const client = new Redis(url, { maxRetriesPerRequest: null });
  client.on('error', () => {});
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      await client.quit();
    },
  };
}
