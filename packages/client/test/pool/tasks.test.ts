import { expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest } from '../support/pool.ts';
import type { Gate } from '../support/recovery.ts';
import {
  rawTask,
  startRawTaskServer,
  type RawAnswer,
  type RawRequest,
  type RawTaskServer,
} from '../tasks/support/raw-task-server.ts';

const { gateTo, pool: makePool } = atTheEndOfEachTest();

const done = { content: [{ type: 'text', text: 'done' }] };
const tools = [{ name: 'work', inputSchema: {}, execution: { taskSupport: 'required' } }];
/** Spent long before a task is asked for again. */
const options = {
  size: 2,
  ejectMs: 5,
  retry: { firstDelayMs: 1, maxDelayMs: 1, maxAttempts: 2 },
};

/** A server that does not keep `tasks/result` open: between two questions nothing waits for it. */
async function startServer(): Promise<{ server: RawTaskServer; gate: Gate; end: () => void }> {
  let isOver = false;
  const notYet = { error: { code: -32_602, message: 'Task not completed yet' } };
  const server = await startRawTaskServer(
    ({ method }: RawRequest): RawAnswer => {
      const task = rawTask(isOver ? 'completed' : 'working', { pollInterval: 1_000 });
      if (method === 'tools/call') return { result: { task } };
      if (method === 'tasks/get') return { result: { ...task, statusMessage: 'on its way' } };
      return isOver ? { result: done } : notYet;
    },
    { tools },
  );
  return { server, gate: await gateTo(server), end: () => (isOver = true) };
}

it('goes on asking for a task although the connection of its call was given up', async () => {
  const { server, gate, end } = await startServer();
  await using _server = server;
  const pool = makePool(gate.url, options);
  let isAsked = false;
  const called = pool.callTool('work', {}, { onProgress: () => (isAsked = true) });
  await until(() => isAsked);
  gate.shut();
  await until(() => expect(pool.status().targets[0]?.failed).toBeGreaterThan(0));
  end();
  await gate.open();
  expect(await called).toEqual(done);
  expect(await pool.task('t-1').result()).toEqual(done);
  expect(server.of('tools/call')).toHaveLength(1);
});

it('ends the call when it is closed, and not the task', async () => {
  const { server, gate } = await startServer();
  await using _server = server;
  const pool = makePool(gate.url, options);
  let isAsked = false;
  const failed = failureOf(pool.callTool('work', {}, { onProgress: () => (isAsked = true) }));
  await until(() => isAsked);
  gate.shut();
  await until(() => expect(pool.status().targets[0]?.failed).toBeGreaterThan(0));
  await pool.close();
  expect(await failed).toMatchObject({
    code: 'closed',
    certainty: 'outcome-unknown',
    taskId: 't-1',
  });
  expect(server.of('tasks/cancel')).toEqual([]);
});
