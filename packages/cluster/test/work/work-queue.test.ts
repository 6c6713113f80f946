import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import type { Made } from '../../../server/test/contracts/made.ts';
import { describeWorkQueue } from '../../../server/test/contracts/work-queue.ts';
import type { NoSlot, QueueLimits, WorkQueue } from '@longwire/server';
import { RedisWorkQueue } from '../../src/work/redis-work-queue.ts';
import { TestConnection } from './work-connection.ts';

expectNothingLeftOpen();

let redis: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

let made = 0;

/** Lets everything arrive that was sent: what is told may ask again, which is told again. */
async function settle(connections: readonly TestConnection[]): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (const connection of connections) {
      await connection.redis.ping();
      await connection.heard();
      await turn();
    }
  }
}

describeWorkQueue(
  'RedisWorkQueue',
  async (): Promise<Made<WorkQueue>> => {
    const connection = new TestConnection(redis.url, `test-${++made}:`);
    const store = new RedisWorkQueue(connection, { node: 'a' });
    for (const queue of ['q', 'other']) store.depth(queue);
    await connection.subscribed();
    return {
      store,
      advance: async (milliseconds) => {
        if (milliseconds > 5) await delay(milliseconds);
        await settle([connection]);
      },
      close: async () => {
        await store.close();
        await connection.close();
      },
    };
  },
  { runs: 30 },
);

const LIMITS: QueueLimits = {
  concurrency: 1,
  maxQueued: 100,
  timeoutMs: Infinity,
  perPrincipal: Infinity,
};

/** A node of a cluster, with its own connections. */
async function nodeOf(prefix: string, node: string): Promise<Node> {
  const connection = new TestConnection(redis.url, prefix);
  const queue = new RedisWorkQueue(connection, { node });
  queue.depth('q');
  await connection.subscribed();
  return { connection, queue };
}

interface Node {
  readonly connection: TestConnection;
  readonly queue: RedisWorkQueue;
}

async function closeAll(nodes: readonly Node[]): Promise<void> {
  for (const { queue } of nodes) await queue.close();
  for (const { connection } of nodes) await connection.close();
}

function ask(
  { queue }: Node,
  principal: string,
  { limits = {}, places = [] }: { limits?: Partial<QueueLimits>; places?: number[] } = {},
): Promise<(() => void) | NoSlot> {
  return queue.acquire({
    queue: 'q',
    principal,
    limits: { ...LIMITS, ...limits },
    signal: new AbortController().signal,
    onPlace: (place) => places.push(place),
  });
}

describe('the queue of several nodes', () => {
  it('has its slots once, serves the principals of all nodes in turns, and tells each node', async () => {
    const prefix = `test-${++made}:`;
    const nodes = await Promise.all(['a', 'b', 'c'].map((name) => nodeOf(prefix, name)));
    const [a, b, c] = nodes as [Node, Node, Node];
    const free = await ask(a, 'ada');
    const order: string[] = [];
    const places: number[] = [];
    const run = async (node: Node, principal: string, name: string): Promise<void> => {
      const waiting = ask(node, principal, name === 'c1' ? { places } : {});
      await settle([node.connection]);
      void waiting.then((slot) => {
        order.push(name);
        if (typeof slot === 'function') slot();
      });
    };
    await run(a, 'ada', 'a1');
    await run(a, 'ada', 'a2');
    await run(b, 'ada', 'a3');
    await run(b, 'bob', 'b1');
    await run(c, 'cem', 'c1');
    await settle(nodes.map(({ connection }) => connection));
    expect(nodes.map(({ queue }) => queue.depth('q'))).toEqual(
      nodes.map(() => ({ waiting: 5, running: 1 })),
    );
    expect(places).toEqual([3]);
    if (typeof free === 'function') free();
    await expect.poll(() => order.length).toBe(5);
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'a3']);
    await settle(nodes.map(({ connection }) => connection));
    expect(a.queue.depth('q')).toMatchObject({ waiting: 0, running: 0 });
    await closeAll(nodes);
  });

  it('gives back what a node had that died, and puts it there again if it only stalled', async () => {
    const prefix = `test-${++made}:`;
    const nodes = await Promise.all(['a', 'b'].map((name) => nodeOf(prefix, name)));
    const [a, b] = nodes as [Node, Node];
    expect(await ask(a, 'ada')).toBeTypeOf('function');
    let isServed = false;
    const waitingThere = ask(a, 'ada').then((slot) => {
      isServed = true;
      return slot;
    });
    await settle([a.connection]);
    const here = ask(b, 'bob');
    // As a node that hears and says nothing any more.
    const resume = a.connection.stall();
    const slot = await here;
    expect(slot).toBeTypeOf('function');
    await expect.poll(() => b.queue.depth('q')).toMatchObject({ waiting: 0, running: 1 });
    resume();
    // What it runs counts again, and its place is there again.
    await expect.poll(() => b.queue.depth('q')).toMatchObject({ waiting: 1, running: 2 });
    expect(isServed).toBe(false);
    if (typeof slot === 'function') slot();
    await a.queue.close();
    expect(await waitingThere).toBe('cancelled');
    await expect.poll(() => b.queue.depth('q')).toMatchObject({ waiting: 0, running: 0 });
    await closeAll([b]);
    await a.connection.close();
  });

  it('finds the slot that it was not told of, and says so where Redis is away', async () => {
    const prefix = `test-${++made}:`;
    const nodes = await Promise.all(['a', 'b'].map((name) => nodeOf(prefix, name)));
    const [a, b] = nodes as [Node, Node];
    const free = await ask(a, 'ada');
    const waiting = ask(b, 'bob');
    await settle([b.connection]);
    const channel = `${prefix}{queue:q}:changes`;
    const hear = await b.connection.deafen(channel);
    if (typeof free === 'function') free();
    expect(await waiting).toBeTypeOf('function');
    await hear();
    b.connection.isUp = false;
    expect(await ask(b, 'bob')).toBe('away');
    b.connection.isUp = true;
    await closeAll(nodes);
  });

  it('goes on where somebody says on its channel what is no message', async () => {
    const prefix = `test-${++made}:`;
    const node = await nodeOf(prefix, 'a');
    await node.connection.redis.publish(`${prefix}{queue:q}:changes`, 'no message');
    await settle([node.connection]);
    expect(await ask(node, 'ada')).toBeTypeOf('function');
    await closeAll([node]);
  });

  it('leaves no key that stays for ever', async () => {
    const prefix = `test-${++made}:`;
    const node = await nodeOf(prefix, 'a');
    const slots = [ask(node, 'ada'), ask(node, 'bob')];
    await settle([node.connection]);
    const keys = await node.connection.redis.keys(`${prefix}*`);
    expect(keys.length).toBeGreaterThan(3);
    for (const key of keys) expect(await node.connection.redis.pttl(key)).toBeGreaterThan(0);
    await closeAll([node]);
    expect(await slots[1]).toBe('cancelled');
  });
});
