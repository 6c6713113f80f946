import { ClusterAwayError, type Located } from '@longwire/server';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedisCluster } from '../../../test/cluster/support/redis-cluster.mjs';
import { startSentinels } from '../../../test/cluster/support/redis-sentinel.mjs';
import { startRedis } from '../../../test/cluster/support/redis-server.mjs';
import { join, notification, record, request, until, type JoinedNode } from './support/nodes.ts';

/** Closed after each test, the last one first. */
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function joined(...given: Parameters<typeof join>): Promise<JoinedNode> {
  const made = await join(...given);
  opened.push(() => made.node.leave());
  return made;
}

function clientOf(url: string): Redis {
  const client = new Redis(url);
  client.on('error', () => {});
  opened.push(() => client.disconnect());
  return client;
}

/** A Redis and its replica, and what asks that one. */
async function startPair(): Promise<{ url: string; port: number; replica: Redis }> {
  const primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  opened.push(() => primary.stop());
  const follower = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
  opened.push(() => follower.stop());
  const replica = clientOf(follower.url);
  await until(async () => (await replica.info('replication')).includes('master_link_status:up'));
  return { url: primary.url, port: primary.port, replica };
}

/** Whether a replica knows of a request that runs. */
async function knows(replica: Redis, id: number): Promise<boolean> {
  for (const key of await replica.keys('*s:{*')) {
    if ((await replica.hexists(key, `b:${id}`)) === 1) return true;
  }
  return false;
}

describe('the option replicas', () => {
  it('lets a request run only once a replica knows of it', async () => {
    const { url, replica } = await startPair();
    const { node } = await joined(url, { replicas: 1 });
    await node.stores.sessions.create(record('one'));
    for (let id = 1; id <= 50; id++) {
      await node.begin('one', request(id));
      expect(await knows(replica, id)).toBe(true);
    }
    // One that was not loaded: it is sent as a whole, and waited for as well.
    await clientOf(url).script('FLUSH');
    await node.begin('one', request(51));
    expect(await knows(replica, 51)).toBe(true);
  });

  it('refuses it where the replica is missing, while all else goes on, and lets it run when it is back', async () => {
    const { url, port, replica } = await startPair();
    const { node, told } = await joined(url, { replicas: 1, leaseMs: 400, waitMs: 1_000 });
    await node.stores.sessions.create(record('one'));
    await replica.call('REPLICAOF', '127.0.0.1', '1');
    const refused = Promise.allSettled([1, 2, 3].map(async (id) => node.begin('one', request(id))));
    // What may run twice does not wait, nor do messages, nor the lease.
    await node.begin('one', request(4), false);
    await node.stores.events.append('one', notification(1));
    for (const outcome of await refused) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(ClusterAwayError) });
      const { reason } = outcome as PromiseRejectedResult;
      expect(String((reason as Error).cause)).toMatch(/fewer than 1 of its replicas/);
    }
    expect([node.isUp, node.isSurelyHere('one'), told.lost]).toEqual([true, true, []]);
    const waiting = node.begin('one', request(5));
    await replica.call('REPLICAOF', '127.0.0.1', port);
    await waiting;
    await until(() => knows(replica, 5));
    expect(await Promise.all([1, 2, 3].map((id) => knows(replica, id)))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it.each([
    { replicas: 0, what: 'is forgotten, and would run again' },
    { replicas: 1, what: 'was refused' },
  ])(
    'with $replicas, a request that only a lost primary knew $what',
    async ({ replicas }) => {
      const { servers, url, connection, stop } = await startSentinels();
      opened.push(stop);
      const [primary, follower] = servers;
      const replica = clientOf(follower?.url ?? '');
      const options = { leaseMs: 1_000, waitMs: 3_000, replicas, connection };
      const [a, b] = [await joined(url, options), await joined(url, options)];
      await a.node.stores.sessions.create(record('one'));
      await a.node.begin('one', request(1));
      await until(() => knows(replica, 1));
      await replica.call('REPLICAOF', '127.0.0.1', '1');
      const begun = await a.node.begin('one', request(2)).then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(ClusterAwayError);
          return false;
        },
      );
      expect(begun).toBe(replicas === 0);
      // The owner goes, too: it would tell the next primary.
      await a.node.leave();
      await primary?.kill();
      // One that points elsewhere would not be elected.
      await replica.call('REPLICAOF', '127.0.0.1', primary?.port ?? 0);
      await until(() => b.node.isUp, 60_000);
      let located: Located | undefined;
      await until(async () => {
        located = await b.node.locate('one').catch(() => undefined);
        return located?.at === 'taken';
      }, 60_000);
      expect(located).toMatchObject({ taken: { running: [request(1)] } });
    },
    120_000,
  );
});

describe('replicas of a Redis Cluster', () => {
  it('know of a request before it runs, also where its slot has moved', async () => {
    const { urls, servers, stop } = await startRedisCluster({ replicas: 1 });
    opened.push(stop);
    const { node } = await joined(urls[0] ?? '', { replicas: 1 });
    const ids = Array.from({ length: 12 }, (_, index) => `session-${index}`);
    const replicas = servers.slice(3);
    const isKnown = async (id: number): Promise<boolean> => {
      for (const { client } of servers) {
        if ((await client.role())[0] !== 'slave') continue;
        await client.readonly();
        if (await knows(client, id)) return true;
      }
      return false;
    };
    for (const [index, id] of ids.entries()) {
      await node.stores.sessions.create(record(id));
      await node.begin(id, request(index));
      expect(await isKnown(index)).toBe(true);
    }
    for (const { client } of replicas) {
      await until(async () => {
        if ((await client.role())[0] === 'master') return true;
        // An election may fail, and is asked for again.
        await client.call('CLUSTER', 'FAILOVER').catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        return false;
      });
    }
    for (const [index, id] of ids.entries()) {
      await node.begin(id, request(100 + index));
      expect(await isKnown(100 + index)).toBe(true);
    }
  }, 120_000);
});
