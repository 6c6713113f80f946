import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LegacySession } from '../../packages/server/test/tasks/legacy-session.ts';
import {
  get,
  isFinal,
  send,
  taskRequest,
  until as untilTask,
} from '../../packages/server/test/tasks/task-server.ts';
import { tellWhatIsMissing } from '../interop/support/missing.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { startCluster, type RunningCluster } from './support/cluster.mjs';
import { whyNoRedis } from './support/redis-server.mjs';

/** Tasks whose nodes die or stall, with payloads that are encrypted. */
expectNothingLeftOpen();

const missing = await whyNoRedis();
tellWhatIsMissing({ missing });

/** Three nodes, asked one by one. */
async function started(): Promise<{
  readonly cluster: RunningCluster & AsyncDisposable;
  readonly urls: readonly [string, string, string];
}> {
  const encrypt = { keys: [Buffer.alloc(32, 7).toString('base64')] };
  const cluster = await startCluster({ clusterOptions: { encrypt } });
  const urls = cluster.nodes.map(({ origin }) => `${origin}/mcp`) as [string, string, string];
  return { cluster, urls };
}

/** Calls a tool that becomes a task; its id. */
async function taskOf(url: string, name: string, args: object): Promise<string> {
  const { result, error } = await send(
    url,
    taskRequest('tools/call', { name, arguments: { ...args } }),
  );
  if (result?.['resultType'] !== 'task') throw new Error(`no task: ${JSON.stringify(error)}`);
  return String(result['taskId']);
}

/** On which nodes a call began. */
function nodesOf({ journal }: RunningCluster, key: string, what = 'begins'): string[] {
  return journal()
    .filter((line) => line.what === what && line.key === key)
    .map(({ node }) => node);
}

const LOST = { status: 'failed', error: { data: { certainty: 'outcome-unknown' } } };

describe.skipIf(missing !== undefined)('a task whose node is killed', () => {
  it('runs again once, wherever it is asked for, if its tool is safe; else its outcome is unknown', async () => {
    const { cluster, urls } = await started();
    await using _ = cluster;
    const [first, second, third] = urls;
    const keys = Array.from({ length: 6 }, () => randomUUID());
    const unsafeKey = randomUUID();
    const safe = await Promise.all(
      keys.map((key) => taskOf(first, 'work-again', { key, ms: 1_500 })),
    );
    const unsafe = await taskOf(first, 'work', { key: unsafeKey, ms: 60_000 });
    await cluster.nodes[0]?.kill();
    const ends = await Promise.all(
      [...safe, unsafe].flatMap((taskId) => [
        untilTask(second, taskId, isFinal),
        untilTask(third, taskId, isFinal),
      ]),
    );
    for (const [at, key] of keys.entries()) {
      const done = { status: 'completed', result: { content: [{ text: `work-again: ${key}` }] } };
      expect(ends.slice(2 * at, 2 * at + 2)).toMatchObject([done, done]);
      const [before, ...after] = nodesOf(cluster, key);
      expect(before).toBe('node-1');
      expect(after).toHaveLength(1);
    }
    expect(ends.slice(-2)).toMatchObject([LOST, LOST]);
    expect(nodesOf(cluster, unsafeKey)).toEqual(['node-1']);
  });

  it('goes on in its session of 2025-11-25, with its progress and its result', async () => {
    const { cluster, urls } = await started();
    await using _ = cluster;
    const session = await LegacySession.open(urls[0]);
    const key = randomUUID();
    const taskId = await session.task('work-again', { arguments: { key, ms: 1_500 } });
    await until(() => expect(nodesOf(cluster, key)).toEqual(['node-1']));
    await cluster.nodes[0]?.kill();
    const there = session.at(urls[1]);
    await there.until(taskId, ({ status }) => status === 'completed');
    expect((await there.ask('tasks/result', { taskId })).result).toMatchObject({
      content: [{ text: `work-again: ${key}` }],
    });
    expect(nodesOf(cluster, key)).toEqual(['node-1', 'node-2']);
  });
});

describe.skipIf(missing !== undefined)('a task whose node only stalls', () => {
  it('ends on the node that has taken it; the one before drops its run, and writes nothing', async () => {
    const { cluster, urls } = await started();
    await using _ = cluster;
    const [first, second, third] = urls;
    const key = randomUUID();
    const taskId = await taskOf(first, 'work-again', { key, ms: 6_000 });
    await until(() => expect(nodesOf(cluster, key)).toEqual(['node-1']));
    cluster.nodes[0]?.stall();
    await until(async () => {
      await get(second, taskId);
      expect(nodesOf(cluster, key)).toEqual(['node-1', 'node-2']);
    });
    cluster.nodes[0]?.go();
    await until(() => expect(nodesOf(cluster, key, 'cancelled')).toEqual(['node-1']));
    for (const url of [first, second, third]) {
      expect(await untilTask(url, taskId, isFinal)).toMatchObject({ status: 'completed' });
    }
    expect(nodesOf(cluster, key)).toEqual(['node-1', 'node-2']);
    expect(nodesOf(cluster, key, 'ends')).toEqual(['node-2']);
  });
});
