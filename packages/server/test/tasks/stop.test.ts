import { McpServer } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { MemoryTaskStore, serve, type CallGate } from '../../src/index.ts';
import { deferred, open } from '../fixture.ts';
import { started, until } from './task-server.ts';

/** A server whose tool ends when the test says so, and its tasks. */
async function stoppable(graceMs: number) {
  const gate = deferred();
  const begun = deferred();
  const tasks = new MemoryTaskStore();
  const ended: string[] = [];
  const gates: CallGate[] = [
    { leave: ({ method }, { kind }) => void ended.push(`${method} ${kind}`) },
  ];
  const serving = await serve({
    create: () => {
      const server = new McpServer({ name: 'stops', version: '1.0.0' });
      server.registerTool('work', {}, async () => {
        begun.resolve();
        await gate.promise;
        return { content: [] };
      });
      server.registerTool('ask', {}, async ({ mcpReq }) => {
        await mcpReq.elicitInput({
          message: 'Sure?',
          requestedSchema: { type: 'object', properties: {} },
        });
        return { content: [] };
      });
      return server;
    },
    tasks: { '*': 'required' },
    stores: { tasks },
    stop: { delayMs: 0, graceMs },
    gates,
  });
  open.push(() => serving.close());
  return { serving, gate, begun, tasks, ended };
}

it('a task that works is waited for when the server stops', async () => {
  const { serving, gate, begun, tasks } = await stoppable(60_000);
  const taskId = await started(serving.url, 'work');
  await begun.promise;
  let hasStopped = false;
  const stopped = serving.stop().then(() => (hasStopped = true));
  await expect
    .poll(() =>
      fetch(serving.url).then(
        () => 'open',
        () => 'closed',
      ),
    )
    .toBe('closed');
  expect(hasStopped).toBe(false);
  gate.resolve();
  await stopped;
  expect(tasks.get('anonymous', taskId)).toMatchObject({ status: 'completed' });
});

it('a task that waits for its client is not waited for, and one that goes on has its grace', async () => {
  const { serving, tasks, ended } = await stoppable(60_000);
  const taskId = await started(serving.url, 'ask');
  await until(serving.url, taskId, ({ status }) => status === 'input_required');
  await serving.stop();
  expect(tasks.get('anonymous', taskId)).toMatchObject({
    status: 'failed',
    error: { data: { reason: 'stopping', certainty: 'outcome-unknown' } },
  });
  expect(ended.filter((call) => call.startsWith('tools/call'))).toEqual(['tools/call error']);
  const second = await stoppable(1);
  const cut = await started(second.serving.url, 'work');
  await second.begun.promise;
  await second.serving.stop();
  expect(second.tasks.get('anonymous', cut)).toMatchObject({
    status: 'failed',
    error: { data: { certainty: 'outcome-unknown' } },
  });
});
