import { createClient } from '@longwire/client';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, expect, it } from 'vitest';
import { createRecorder, Picture, type RecordedLine } from '../src/index.ts';
import { chainOf } from '../src/shown.ts';
import { until } from '../../../test/support/until.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server whose call waits for an answer, and then for the test. */
async function serveTasks(): Promise<{ url: string; release: () => void }> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const serving = await serve({
    tasks: { '*': { task: 'required', pollIntervalMs: 100 } },
    create: () => {
      const server = new McpServer({ name: 'small', version: '1' });
      server.registerTool('ask', {}, async ({ mcpReq }) => {
        await mcpReq.elicitInput({
          message: 'Go on?',
          requestedSchema: { type: 'object', properties: {} },
        });
        await released;
        return { content: [{ type: 'text', text: 'done' }] };
      });
      return server;
    },
  });
  closing.push(() => serving.close());
  return { url: serving.url, release: () => release() };
}

it.each(['2026-07-28', '2025-11-25'] as const)(
  'a call that is a task is one call, and its polls are none: %s',
  async (protocol) => {
    const { url, release } = await serveTasks();
    const lines: RecordedLine[] = [];
    const picture = new Picture();
    const recorder = createRecorder({
      write: (line) => {
        lines.push(line);
        picture.apply(line);
      },
    });
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const client = createClient(url, {
      protocol,
      middleware: [recorder.middleware('small')],
      handlers: {
        elicitation: async () => {
          await answered;
          return { action: 'accept', content: {} };
        },
      },
    });
    closing.unshift(() => client.close());
    recorder.watch({ name: 'small', client });
    const called = client.callTool('ask');
    const statusIs = (status: string): boolean =>
      [...picture.inFlight].some(({ task }) => task?.status === status);
    await until(() => statusIs('input_required'));
    answer();
    await until(() => statusIs('working'));
    release();
    expect(await called).toMatchObject({ content: [{ text: 'done' }] });

    const calls = lines.filter(({ type }) => type === 'call');
    const methods = new Set(calls.map((line) => (line.type === 'call' ? line.method : '')));
    expect(methods).not.toContain('tasks/get');
    expect(methods).not.toContain('tasks/result');
    expect(picture.events).toEqual([]);
    const call = picture.ended.find(({ method }) => method === 'tools/call');
    const told = lines.filter((line) => line.type === 'task' && line.call === call?.call);
    expect(told.length).toBeGreaterThan(1);
    expect(call).toMatchObject({
      task: { taskId: expect.stringMatching(/^[0-9a-f]+$/) as string },
      end: { outcome: 'result' },
    });
    const titles = call && chainOf(call, picture.servers.get('small')).map(({ title }) => title);
    expect(titles).toEqual(['Called', 'Sent', 'Became a task', 'Answered']);
    expect(picture.lost).toBe(0);
  },
);
