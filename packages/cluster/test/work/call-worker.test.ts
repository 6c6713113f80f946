import {
  hashApiKey,
  apiKeys,
  serve,
  type KitOptions,
  type QueuesOptions,
  type Serving,
} from '@longwire/server';
import { connect, type LongwireClient } from '@longwire/client';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../../../test/cluster/support/redis-server.mjs';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { connect as connectRedis } from '../../src/connect.ts';
import { RedisWorkQueue } from '../../src/work/redis-work-queue.ts';
import {
  startWorker,
  type StartedWorker,
  type WorkerOptions,
} from '../../src/work/start-worker.ts';
import { create, queues } from './program.mjs';

expectNothingLeftOpen();

let redis: Awaited<ReturnType<typeof startRedis>>;
let folder: string;
beforeAll(async () => {
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), 'longwire-work-'));
});
afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true });
});

let made = 0;
let mount = '';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  delete process.env['JOURNAL'];
});

/** A node with queues of workers. */
async function node(
  options: Partial<KitOptions> = {},
  encrypt?: { keys: readonly Buffer[] },
): Promise<Serving> {
  mount = `/test-${++made}`;
  const given = encrypt === undefined ? {} : { encrypt };
  const connection = await connectRedis(redis.url, given, mount);
  const queue = new RedisWorkQueue(connection, { node: 'a' });
  closing.push(
    async () => connection.close(),
    () => queue.close(),
  );
  const serving = await serve({ create, queues, stores: { queue }, ...options });
  closing.push(() => serving.close());
  return serving;
}

async function worker(
  served: QueuesOptions = queues,
  more: Partial<WorkerOptions> = {},
): Promise<StartedWorker> {
  const options = { create, queues: served, mount, concurrency: 2, silenceMs: 2_000, ...more };
  const started = await startWorker(redis.url, options);
  closing.push(() => started.close({ isNow: true }));
  return started;
}

async function client(
  serving: Serving,
  options: Parameters<typeof connect>[1] = {},
): Promise<LongwireClient> {
  const connected = await connect(serving.url, options);
  closing.push(() => connected.close());
  return connected;
}

const contentOf = (result: { content?: unknown }): unknown =>
  JSON.parse((result.content as [{ text: string }])[0].text);

/** A call, as a node hands it to workers. */
const WORK = {
  queue: 'work',
  limits: { ...queues.work, maxQueued: 1, timeoutMs: 60_000, perPrincipal: Infinity },
  call: {
    tool: 'work',
    params: { name: 'work', arguments: {} },
    principal: { id: 'ada', scopes: [] },
    headers: {},
    era: 'legacy',
    client: { capabilities: {}, info: {} },
  },
} as const;

describe('a queue with workers', () => {
  for (const protocol of ['2025-11-25', '2026-07-28'] as const) {
    it(`runs its calls elsewhere, with all they say on the way (${protocol})`, async () => {
      const key = 'a-key-of-thirty-two-characters-or-so';
      const serving = await node({
        auth: apiKeys({ keys: [{ principal: 'ada', sha256: hashApiKey(key), scopes: ['draw'] }] }),
      });
      await worker();
      const connected = await client(serving, {
        protocol,
        headers: { authorization: `Bearer ${key}`, 'x-request-source': 'test' },
      });
      const progress: number[] = [];
      const result = await connected.callTool(
        'work',
        { steps: 20 },
        { onProgress: (told) => progress.push(told.progress) },
      );
      const { headers, ...content } = contentOf(result) as { headers: string[] };
      expect(content).toEqual({ pid: process.pid, principal: 'ada', scopes: ['draw'] });
      expect(headers).toContain('x-request-source');
      expect(headers).not.toContain('authorization');
      expect(progress).toEqual(Array.from({ length: 20 }, (_none, index) => index + 1));
      // Its answer has the form of its era.
      const { structuredContent } = await connected.callTool('safe_work', { ms: 0 });
      expect(structuredContent).toEqual(
        protocol === '2026-07-28' ? [process.pid] : { result: [process.pid] },
      );
      const failed = await connected
        .callTool('work', { do: 'fail' })
        .catch((error: unknown) => error);
      expect(JSON.stringify(failed) + String(failed)).toContain('it cannot be done');
    });
  }

  it('sends log messages from the level on that the client asked for', async () => {
    const serving = await node();
    await worker();
    const connected = await client(serving);
    const told: unknown[] = [];
    connected.on('notification', ({ method, params }) => {
      if (method === 'notifications/message') told.push((params as { data: unknown }).data);
    });
    await connected.setLogLevel('warning');
    await connected.callTool('work', { steps: 2 });
    await expect.poll(() => told).toEqual(['step 1!', 'step 2!']);
  });

  it('runs what has no worker on the node, and refuses what a worker cannot do', async () => {
    const serving = await node();
    await worker();
    const connected = await client(serving, {
      handlers: { elicitation: async () => ({ action: 'accept', content: {} }) },
    });
    expect(contentOf(await connected.callTool('here'))).toEqual({ pid: process.pid });
    const asked = await connected.callTool('work', { do: 'ask' }).catch((error: unknown) => error);
    expect(JSON.stringify(asked) + String(asked)).toContain('cannot ask its client');
  });

  it('aborts the tool of a call that is cancelled, also one that waits', async () => {
    process.env['JOURNAL'] = join(folder, 'cancel');
    const serving = await node();
    const served = await worker();
    const connected = await client(serving);
    const ending = new AbortController();
    const calls = [60_000, 60_001, 60_002].map((ms) =>
      connected
        .callTool('work', { ms }, { signal: ending.signal })
        .catch((error: unknown) => error),
    );
    const said = async (): Promise<string[]> => {
      const text = await readFile(join(folder, 'cancel'), 'utf8').catch(() => '');
      return text.trim().split('\n');
    };
    await expect.poll(said).toHaveLength(2);
    ending.abort();
    await Promise.all(calls);
    await expect.poll(() => served.running).toBe(0);
    const lines = await said();
    expect(
      lines.map((line) => line.split(' ')[1] ?? '').toSorted((one, two) => one.localeCompare(two)),
    ).toEqual(['aborted', 'aborted', 'began', 'began']);
    // Its slots are free again.
    expect(contentOf(await connected.callTool('work'))).toMatchObject({ pid: process.pid });
  });

  it('waits for a worker where there is none, and says so', async () => {
    const serving = await node({
      queues: { ...queues, 'safe*': { concurrency: 1, worker: true, timeoutMs: 400 } },
      metrics: {},
    });
    const connected = await client(serving);
    const late = await connected.callTool('safe_work', { ms: 0 }).catch((error: unknown) => error);
    expect(String(late)).toContain('no worker takes its calls now');
    const told: (string | undefined)[] = [];
    const waiting = connected.callTool(
      'work',
      {},
      { onProgress: ({ message }) => told.push(message) },
    );
    await expect.poll(() => told).toEqual(['1st in the queue of work, which has no worker now']);
    const metrics = await (await fetch(new URL('/metrics', serving.url))).text();
    expect(metrics).toContain('longwire_server_queue_waiting{longwire_queue_name="work"} 1');
    expect(metrics).toContain('longwire_server_queue_workers{longwire_queue_name="work"} 0');
    await worker();
    expect(contentOf(await waiting)).toMatchObject({ pid: process.pid });
  });

  it('lets the calls of a worker end that closes, and gives it no more', async () => {
    process.env['JOURNAL'] = join(folder, 'close');
    const serving = await node();
    const first = await worker({ work: queues.work });
    const connected = await client(serving);
    const running = connected.callTool('work', { ms: 500 });
    await expect.poll(() => first.running).toBe(1);
    const closed = first.close();
    const next = connected.callTool('work', {});
    expect(contentOf(await running)).toMatchObject({ pid: process.pid });
    await closed;
    const second = await worker({ work: queues.work });
    await next;
    expect(second.running).toBe(0);
  });

  it('does not begin a call whose node is gone', async () => {
    process.env['JOURNAL'] = join(folder, 'gone');
    await node();
    const started = await worker();
    const connection = await connectRedis(redis.url, {}, mount);
    // It holds no slot, as a node that died with it.
    const queue = new RedisWorkQueue(connection, { node: 'gone' });
    const workers = await queue.workers(['work']);
    closing.push(
      async () => connection.close(),
      () => queue.close(),
      () => workers.close(),
    );
    const { signal } = new AbortController();
    const answer = await workers.run(WORK, { signal, notify() {} });
    expect(answer).toMatchObject({ error: { data: { reason: 'node-lost' } } });
    expect(started.running).toBe(0);
    expect(existsSync(join(folder, 'gone'))).toBe(false);
  });

  it('says that a call is lost whose worker has another key of encryption', async () => {
    const serving = await node();
    await worker(queues, { redis: { encrypt: { keys: [Buffer.alloc(32, 1)] } } });
    const connected = await client(serving);
    const lost = await connected.callTool('work').catch((error: unknown) => error);
    expect(lost).toMatchObject({ data: { certainty: 'outcome-unknown' } });
  });

  it('says that a call did not run that its worker cannot read', async () => {
    const [old, next] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const serving = await node({}, { keys: [next, old] });
    const said: unknown[] = [];
    const log = { error: (what: unknown) => said.push(what), warn() {}, debug() {} };
    await worker(queues, { redis: { encrypt: { keys: [old] } }, log });
    const connected = await client(serving);
    const refused = await connected.callTool('work').catch((error: unknown) => error);
    expect(refused).toMatchObject({ data: { reason: 'unreadable', certainty: 'refused' } });
    expect(said).toEqual([{ kind: 'call', reason: expect.stringContaining('no key of redis') }]);
  });

  it('does not say so of a call that another worker had taken', async () => {
    await node();
    const [old, next] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const given = { encrypt: { keys: [next, old] } };
    const connection = await connectRedis(redis.url, given, mount);
    const queue = new RedisWorkQueue(connection, { node: 'b' });
    const workers = await queue.workers(['work']);
    const probe = new Redis(redis.url);
    closing.push(
      async () => probe.disconnect(),
      async () => connection.close(),
      () => queue.close(),
      () => workers.close(),
    );
    const { signal } = new AbortController();
    const running = workers.run(WORK, { signal, notify() {} });
    let [job]: (string | undefined)[] = [];
    const base = `longwire:${mount.slice(1)}:{queue:work}`;
    await expect
      .poll(async () => ([job] = await probe.lrange(`${base}:calls:wait`, 0, -1)))
      .toHaveLength(1);
    // That one was silent for too long, and this node waits.
    await probe.hset(`${base}:calls:${job}`, 'stc', '1');
    await probe.zadd(`${base}:nodes`, Date.now() + 60_000, 'b');
    await worker(queues, { redis: { encrypt: { keys: [old] } } });
    expect(await running).toMatchObject({ error: { data: { certainty: 'outcome-unknown' } } });
  });

  it('leaves nothing in Redis that stays for ever', async () => {
    const serving = await node();
    const served = await worker();
    const connected = await client(serving);
    await connected.callTool('work');
    await served.close();
    const probe = new Redis(redis.url);
    const keys = await probe.keys(`longwire:test-${made}:*`);
    const lasting: string[] = [];
    for (const key of keys) if ((await probe.pttl(key)) < 0) lasting.push(key);
    await probe.quit();
    expect(keys.length).toBeGreaterThan(3);
    expect(lasting).toEqual([]);
  });

  it('refuses to start where there is nothing that could run it', async () => {
    await expect(serve({ create, queues })).rejects.toThrow(
      'queues["work"].worker needs the option cluster: redis(url)',
    );
  });
});
