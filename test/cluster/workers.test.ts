import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, type LongwireClient } from '@longwire/client';
import { redis, startWorker } from '@longwire/cluster';
import { serve, type Serving } from '@longwire/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { create, queues } from '../../packages/cluster/test/work/program.mjs';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startRedisCluster } from './support/redis-cluster.mjs';
import { startRedis } from './support/redis-server.mjs';

expectNothingLeftOpen();

const command = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
const program = fileURLToPath(
  new URL('../../packages/cluster/test/work/program.mjs', import.meta.url),
);

let server: Awaited<ReturnType<typeof startRedis>>;
let folder: string;
let journal: string;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  server = await startRedis({ isPersistent: true });
  folder = await mkdtemp(join(tmpdir(), 'longwire-workers-'));
  journal = join(folder, 'journal');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await server.stop();
  await rm(folder, { recursive: true });
});

async function node(): Promise<Serving> {
  const stop = { delayMs: 0, graceMs: 100 };
  const serving = await serve({ create, queues, cluster: redis(server.url), stop });
  closing.push(() => serving.close());
  return serving;
}

async function client({ url }: Serving): Promise<LongwireClient> {
  const connected = await connect(url);
  closing.push(() => connected.close());
  return connected;
}

interface Worker {
  readonly child: ChildProcess;
  /** What it has printed. */
  readonly lines: readonly string[];
  readonly ended: Promise<unknown>;
}

/** `longwire worker`, once it runs calls. */
async function worker(...options: string[]): Promise<Worker> {
  const words = [command, 'worker', program, '--json', '--concurrency', '2', '--silence', '2s'];
  const child = spawn(process.execPath, [...words, ...options], {
    env: { PATH: process.env['PATH'], REDIS_URL: server.url, JOURNAL: journal },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  closing.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  await expect.poll(() => lines[0]).toBeDefined();
  return { child, lines, ended };
}

const pidOf = (result: { content?: unknown }): number =>
  (JSON.parse((result.content as [{ text: string }])[0].text) as { pid: number }).pid;

/** What happened to the tools so far. */
async function happened(): Promise<string[]> {
  return (await readFile(journal, 'utf8').catch(() => '')).trim().split('\n');
}

async function untilBegun(calls: number): Promise<void> {
  const begun = async (): Promise<number> =>
    (await happened()).filter((line) => line.includes(' began ')).length;
  await expect.poll(begun).toBe(calls);
}

describe('longwire worker', () => {
  it('runs calls of all nodes, and says each on a line', async () => {
    const nodes = [await node(), await node()];
    const { child, lines } = await worker();
    for (const one of nodes) {
      const connected = await client(one);
      expect(pidOf(await connected.callTool('work', {}))).toBe(child.pid);
      expect(pidOf(await connected.callTool('here', {}))).toBe(process.pid);
    }
    await expect.poll(() => lines.length).toBe(3);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { queues: ['work', 'safe*'], concurrency: 2 },
      ...lines.slice(1).map(() => ({
        time: expect.any(String),
        queue: 'work',
        tool: 'work',
        principal: 'anonymous',
        durationMs: expect.any(Number),
      })),
    ]);
  });

  it('that is killed: a call is of unknown outcome, or runs again elsewhere if it is safe', async () => {
    const connected = await client(await node());
    const dying = await worker();
    const unsafe = connected.callTool('work', { ms: 60_000 }).catch((error: unknown) => error);
    const safe = connected.callTool('safe_work', { ms: 1_000 });
    await untilBegun(2);
    dying.child.kill('SIGKILL');
    const { child } = await worker();
    expect(await unsafe).toMatchObject({ certainty: 'outcome-unknown' });
    expect((await safe).structuredContent).toEqual([child.pid]);
    const lines = await happened();
    expect(lines.filter((line) => line.startsWith('work began'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('safe_work began'))).toHaveLength(2);
    expect(pidOf(await connected.callTool('work', {}))).toBe(child.pid);
  });

  it('that is told to stop lets its calls end, and others run what comes after', async () => {
    const connected = await client(await node());
    const first = await worker();
    const running = connected.callTool('work', { ms: 1_500 });
    await untilBegun(1);
    first.child.kill('SIGTERM');
    const second = await worker();
    const after = await Promise.all([1, 2, 3].map(() => connected.callTool('work', {})));
    expect(after.map(pidOf)).toEqual(after.map(() => second.child.pid));
    expect(pidOf(await running)).toBe(first.child.pid);
    expect(await first.ended).toEqual([0, null]);
  });

  it('goes on where Redis was away, and loses no answer', async () => {
    const connected = await client(await node());
    const { child } = await worker();
    const running = connected.callTool('work', { ms: 1_000 }, { timeoutMs: 50_000 });
    await untilBegun(1);
    await server.kill();
    // It ends while nobody can be told.
    await expect.poll(async () => (await happened()).at(-1)).toContain('work ended');
    await server.start();
    expect(pidOf(await running)).toBe(child.pid);
    expect(pidOf(await connected.callTool('work', {}))).toBe(child.pid);
  });

  it('on a Redis Cluster, with what it is given encrypted, tells progress in its order', async () => {
    const shards = await startRedisCluster();
    closing.push(() => shards.stop());
    const options = { encrypt: { keys: [Buffer.alloc(32, 7)] } };
    const serving = await serve({ create, queues, cluster: redis(shards.urls, options) });
    closing.push(() => serving.close());
    const started = await startWorker(shards.urls, { create, queues, redis: options });
    closing.push(() => started.close());
    const connected = await client(serving);
    const progress: number[] = [];
    const onProgress = (told: { progress: number }): number => progress.push(told.progress);
    await connected.callTool('work', { steps: 50 }, { onProgress });
    expect(progress).toEqual(Array.from({ length: 50 }, (_none, index) => index + 1));
    const ending = new AbortController();
    const cancelled = connected.callTool('work', { ms: 60_000 }, { signal: ending.signal });
    await expect.poll(() => started.running).toBe(1);
    ending.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
    await expect.poll(() => started.running).toBe(0);
    expect((await shards.lasting()).filter((key) => key.includes('queue:'))).toEqual([]);
  });
});
