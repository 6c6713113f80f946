import {
  connect,
  type ClientOptions,
  type LongwireClient,
  type TaskHandle,
} from '@longwire/client';
import { serve } from '@longwire/server';
import type { Progress } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../../support/open-handles.ts';
import { until } from '../../support/until.ts';

expectNothingLeftOpen();

const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });

/** A kit whose tools are all tasks; `go` lets the tool `steps` make its next step. */
async function startKit() {
  const events: string[] = [];
  let steps = 0;
  let waiting = (): void => {};
  const create = (): McpServer => {
    const server = new McpServer({ name: 'kit', version: '0' });
    server.registerTool('steps', {}, async ({ mcpReq }) => {
      events.push('steps');
      mcpReq.signal.addEventListener('abort', () => events.push('aborted'));
      const progressToken = mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= 3; progress++) {
        while (steps < progress) await new Promise<void>((resolve) => (waiting = resolve));
        if (progressToken === undefined) continue;
        // Of a step without a message the status says the number in words.
        const message = progress === 2 ? {} : { message: `step ${progress}` };
        const params = { progressToken, progress, total: 3, ...message };
        await mcpReq.notify({ method: 'notifications/progress', params });
      }
      while (steps < 4) await new Promise<void>((resolve) => (waiting = resolve));
      return said('done');
    });
    server.registerTool('greet', {}, async ({ mcpReq }) => {
      const { content } = await mcpReq.elicitInput({
        message: 'Your name?',
        requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
      });
      return said(`Hello, ${String(content?.['name'])}`);
    });
    return server;
  };
  const served = await serve({ create, tasks: { '*': { task: 'required', pollIntervalMs: 100 } } });
  const go = (): void => {
    steps++;
    waiting();
  };
  return { served, events, go, [Symbol.asyncDispose]: () => served.close() };
}
type Kit = Awaited<ReturnType<typeof startKit>>;

describe.each<[string, (kit: Kit, options?: ClientOptions) => Promise<LongwireClient>]>([
  ['2026-07-28', ({ served }, options) => connect(served.url, options)],
  [
    '2025-11-25',
    ({ served }, options) => connect(served.url, { ...options, protocol: '2025-11-25' }),
  ],
  ['2025-11-25 over HTTP+SSE', ({ served }, options) => connect(served.sseUrl, options)],
])("the kit's tasks with its own client, by %s", (_version, open) => {
  test('tell each step of their progress once', async () => {
    await using kit = await startKit();
    await using client = await open(kit);
    const told: Progress[] = [];
    const ids: string[] = [];
    const called = client.callTool(
      'steps',
      {},
      {
        onProgress: (step) => told.push(step),
        onTask: ({ taskId }) => ids.push(taskId),
      },
    );
    for (let step = 1; step <= 3; step++) {
      kit.go();
      await until(() => told.length >= step);
    }
    kit.go();
    expect(await called).toMatchObject(said('done'));
    expect(told).toMatchObject([1, 2, 3].map((progress) => ({ progress, total: 3 })));
    expect(ids).toHaveLength(1);
    expect(kit.events.filter((event) => event === 'steps')).toHaveLength(1);
  });

  test('ask the program once', async () => {
    await using kit = await startKit();
    const asked: string[] = [];
    await using client = await open(kit, {
      handlers: {
        elicitation: ({ message }) => {
          asked.push(message);
          return { action: 'accept', content: { name: 'Ada' } };
        },
      },
    });
    expect(await client.callTool('greet')).toMatchObject(said('Hello, Ada'));
    expect(asked).toEqual(['Your name?']);
  });

  test('are cancelled with their calls, and taken up by another client', async () => {
    await using kit = await startKit();
    await using client = await open(kit);
    const ending = new AbortController();
    const { signal } = ending;
    let isTask = false;
    const onTask = (): void => void (isTask = true);
    const ended = expect(client.callTool('steps', {}, { signal, onTask })).rejects.toMatchObject({
      code: 'aborted',
      taskId: expect.any(String) as unknown,
    });
    await until(() => isTask && kit.events.includes('steps'));
    ending.abort();
    await ended;
    await until(() => kit.events.includes('aborted'));

    const first = await open(kit);
    const task = await new Promise<TaskHandle>((resolve, reject) => {
      first.callTool('steps', {}, { onTask: resolve }).catch(reject);
    });
    await first.close();
    for (let step = 0; step < 4; step++) kit.go();
    expect(await client.task(task.taskId).result()).toMatchObject(said('done'));
    expect(await client.task(task.taskId).status()).toMatchObject({ status: 'completed' });
  });
});
