import { Redis } from 'ioredis';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { redisProgram, startRedis } from '../../../test/cluster/support/redis-server.mjs';
import {
  answer,
  join,
  notification,
  record,
  request,
  until,
  type JoinedNode,
} from './support/nodes.ts';

/** Closed after each test, the last one first. */
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

type Server = Awaited<ReturnType<typeof startRedis>>;

async function startServer(args: readonly string[]): Promise<Server> {
  const server = await startRedis({ args });
  opened.push(() => server.stop());
  return server;
}

async function joined(...given: Parameters<typeof join>): Promise<JoinedNode> {
  const made = await join(...given);
  opened.push(() => made.node.leave());
  return made;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Three primaries with all slots between them. */
async function startRedisCluster(): Promise<string[]> {
  const started: { server: Server; busPort: number; client: Redis }[] = [];
  for (let index = 0; index < 3; index++) {
    const busPort = await freePort();
    const server = await startServer([
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      String(busPort),
    ]);
    const client = new Redis(server.url);
    opened.push(() => client.disconnect());
    started.push({ server, busPort, client });
  }
  const [first] = started;
  const share = Math.ceil(16_384 / started.length);
  for (const [index, { server, busPort, client }] of started.entries()) {
    const from = index * share;
    const to = Math.min(from + share, 16_384) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    await first?.client.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
  }
  for (const { client } of started) {
    await until(async () => {
      const info = String(await client.call('CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
    });
  }
  return started.map(({ server }) => server.url);
}

describe('Redis Cluster', () => {
  it('keeps each session on one shard, and nodes hear each other over all of them', async () => {
    const urls = await startRedisCluster();
    const [a, b] = [await joined(urls), await joined([...urls].toReversed())];
    const ids = Array.from({ length: 40 }, (_, index) => `session-${index}`);
    for (const id of ids) {
      await a.node.stores.sessions.create(record(id, { resume: `of ${id}` }));
      await a.node.begin(id, request(1));
      a.node.readAt(id, 1, { node: b.node.name, reader: id });
    }
    const events = ids.map(() => answer(1, 1));
    await Promise.all(
      ids.map(async (id, index) => a.node.stores.events.append(id, events[index] as never)),
    );
    await until(() => b.told.published.length === ids.length);
    expect(b.told.published.map(({ sessionId }) => sessionId).toSorted()).toEqual(ids.toSorted());
    expect(await b.node.stores.sessions.count('ada')).toBe(ids.length);
    expect((await b.node.stores.sessions.findByResume('ada', 'of session-7'))?.id).toBe(
      'session-7',
    );
    const sent = ids.map((session) => ({ kind: 'x', session }));
    await Promise.all(sent.map((message) => a.node.send(b.node.name, message)));
    await until(() => b.told.received.length === sent.length);
    expect(b.told.received.map(({ message }) => message)).toEqual(sent);
    await b.node.send(a.node.name, { kind: 'x', session: '' });
    await a.node.leave();
    await until(() => b.told.gone.length > 0);
    for (const id of ids) {
      expect(await b.node.locate(id)).toMatchObject({
        at: 'taken',
        taken: { fence: 2, seq: 1, running: [], answered: [{ id: 1, answeredAt: 1 }] },
      });
    }
    // All of them would not be on one shard.
    const sizes = await Promise.all(
      urls.map(async (url) => {
        const client = new Redis(url);
        const size = await client.dbsize();
        client.disconnect();
        return size;
      }),
    );
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });
});

/** One that watches a primary, and makes its replica the primary when it is gone. */
async function startSentinel(primary: Server): Promise<number> {
  const folder = await mkdtemp(joinPath(tmpdir(), 'longwire-sentinel-'));
  const port = await freePort();
  const file = joinPath(folder, 'sentinel.conf');
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 5000',
    ].join('\n'),
  );
  const child = spawn(redisProgram, [file, '--sentinel'], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  opened.push(async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  return port;
}

describe('a primary that fails', () => {
  it('is followed by its replica; what the replica does not have yet is told to it again', async () => {
    const primary = await startServer([]);
    const replica = await startServer(['--replicaof', '127.0.0.1', String(primary.port)]);
    const copy = new Redis(replica.url);
    opened.push(() => copy.disconnect());
    await until(async () => (await copy.info('replication')).includes('master_link_status:up'));
    const port = await startSentinel(primary);
    const sentinel = new Redis(port, '127.0.0.1');
    sentinel.on('error', () => {});
    opened.push(() => sentinel.disconnect());
    await until(async () => {
      const replicas = await sentinel.call('SENTINEL', 'replicas', 'main').catch(() => []);
      return (replicas as unknown[]).length === 1;
    });
    const options = {
      leaseMs: 1_000,
      waitMs: 2_000,
      connection: { sentinels: [{ host: '127.0.0.1', port }], name: 'main' },
    };
    const [a, b] = [await joined('redis://main', options), await joined('redis://main', options)];
    await a.node.stores.sessions.create(record('old'));
    await a.node.stores.events.append('old', notification(1));
    await until(async () => (await copy.dbsize()) > 0);
    // From now on the replica is behind.
    await copy.call('REPLICAOF', '127.0.0.1', '1');
    await a.node.stores.sessions.create(record('new'));
    await a.node.begin('new', request(1));
    await copy.call('REPLICAOF', '127.0.0.1', primary.port);
    replica.pause();
    await a.node.stores.events.append('old', notification(2));
    await primary.kill();
    replica.resume();
    const waiting = a.node.stores.events.append('old', notification(3));
    await waiting;
    await until(() => a.node.isUp && b.node.isUp);
    await until(() => a.node.isSurelyHere('old') && a.node.isSurelyHere('new'));
    for (const id of ['old', 'new']) {
      expect(await b.node.locate(id)).toMatchObject({ at: 'elsewhere', node: a.node.name });
    }
    const { events } = await a.node.stores.events.readAfter('old', 0);
    expect(events.map(({ seq }) => seq)).toContain(3);
    expect([a.told.lost, b.told.lost]).toEqual([[], []]);
    await b.node.send(a.node.name, { kind: 'x', session: '' });
    await a.node.leave();
    await until(() => b.told.gone.includes(a.node.name));
    expect(await b.node.locate('new')).toMatchObject({
      at: 'taken',
      taken: { running: [request(1)] },
    });
  });
});

describe('an idle session', () => {
  it('takes less than 1.5 KiB', async () => {
    const server = await startServer([]);
    const { node } = await joined(server.url, { mount: '/mcp' });
    const id = 'kq2_6pZ0oNqGcBxYwH1rT8uVfJ3mLdEs';
    await node.stores.sessions.create(
      record(id, { headers: { host: 'mcp.example.com', 'user-agent': 'node' } } as never),
    );
    const initialize = {
      jsonrpc: '2.0' as const,
      id: 0,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {
          sampling: {},
          elicitation: { form: {}, url: {} },
          roots: { listChanged: true },
        },
        clientInfo: { name: 'some-client', title: 'Some Client', version: '1.2.3' },
      },
    };
    await node.stores.sessions.update(id, { initialize, isInitialized: true });
    const client = new Redis(server.url);
    opened.push(() => client.disconnect());
    const [key = ''] = await client.keys('*s:{*');
    expect(await client.memory('USAGE', key, 'SAMPLES', 0)).toBeLessThan(1_536);
  });
});
