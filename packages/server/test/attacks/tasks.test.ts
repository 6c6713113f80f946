import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { headersOf } from '../stateless/requests.ts';
import { CAPABILITIES, send, taskRequest } from '../tasks/task-server.ts';
import { ask, messagesIn } from './ask.ts';
import { attacked } from './attacked.ts';

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    '',
    'x',
    '__proto__',
    'constructor',
    '\u001b]0;title\u0007',
    'a\r\nb: c',
    'é \u{1F600}',
    'x'.repeat(20_000),
    [],
    [null],
    {},
    { a: null },
    { a: {} },
    { a: { action: 'accept', content: { text: 1 } } },
    { a: [] },
    JSON.parse('{"__proto__":{"action":"accept"},"constructor":{"action":"accept"}}'),
  ),
  fc.jsonValue({ maxDepth: 3 }),
);
const method = fc.constantFrom(
  'tasks/get',
  'tasks/update',
  'tasks/cancel',
  'tasks/result',
  'tasks/list',
  'tools/call',
);
const params = fc.record(
  {
    taskId: odd,
    inputResponses: odd,
    cursor: odd,
    task: odd,
    name: fc.constantFrom<unknown>('long', 'note', 'none', 5, null),
    arguments: odd,
  },
  { requiredKeys: [] },
);
/** Whether the capability is declared, and as what. */
const capabilities = fc.oneof(
  { weight: 3, arbitrary: fc.constant<object>(CAPABILITIES) },
  fc.record({ extensions: fc.oneof(odd, fc.record({ 'io.modelcontextprotocol/tasks': odd })) }),
);

it.each(['required', 'optional'] as const)(
  'odd requests about %s tasks are answered, and break nothing',
  { timeout: 120_000 },
  async (task) => {
    const { origin, expectAlive, lines } = await attacked(
      { tasks: { long: { task, auto: { afterMs: 5 } } } },
      {
        extend: (server) => {
          server.registerTool('long', {}, async () => {
            await setImmediate();
            return { content: [] };
          });
        },
      },
    );
    const url = `${origin}/mcp`;
    await fc.assert(
      fc.asyncProperty(method, params, capabilities, async (asked, given, declared) => {
        const message = taskRequest(asked, given as Record<string, unknown>, declared);
        const { taskId } = message.params;
        const isHeader = typeof taskId === 'string' && /^[!-~]{1,200}$/.test(taskId);
        const answer = await ask(url, {
          body: message,
          headers: { ...headersOf(message), ...(isHeader && { 'mcp-name': taskId }) },
        });
        expect(answer.status).toBeLessThan(500);
        const answers = messagesIn(answer).filter((each) => 'id' in each);
        expect(answers).toHaveLength(1);
        const [{ error, result } = {}] = answers;
        expect(error === undefined).toBe(result !== undefined);
      }),
      { numRuns: 400 },
    );
    await expectAlive();
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  },
);

it("an odd answer to what a task asks is not given to its tool, or is the tool's to refuse", async () => {
  const { origin, expectAlive } = await attacked(
    { tasks: { ask: 'required' } },
    {
      extend: (server) => {
        server.registerTool('ask', {}, async ({ mcpReq }) => {
          const requestedSchema = {
            type: 'object' as const,
            properties: { text: { type: 'string' as const } },
          };
          const answer = await mcpReq.elicitInput({ message: 'Well?', requestedSchema });
          return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
        });
      },
    },
  );
  const url = `${origin}/mcp`;
  await fc.assert(
    fc.asyncProperty(odd, async (response) => {
      const { result: created } = await send(
        url,
        taskRequest('tools/call', { name: 'ask', arguments: {} }),
      );
      const taskId = created?.['taskId'];
      const get = async (): Promise<Record<string, unknown>> =>
        (await send(url, taskRequest('tasks/get', { taskId }))).result ?? {};
      let task = await get();
      while (task['status'] === 'working') task = await get();
      const [key = ''] = Object.keys(task['inputRequests'] as object);
      const inputResponses = { [key]: response };
      const { error } = await send(url, taskRequest('tasks/update', { taskId, inputResponses }));
      if (error !== undefined) {
        expect(error.code).toBe(-32_602);
        // It still asks.
        expect(await get()).toMatchObject({ status: 'input_required' });
        await send(url, taskRequest('tasks/cancel', { taskId }));
      }
      do task = await get();
      while (task['status'] === 'working');
      expect(['completed', 'failed', 'cancelled']).toContain(task['status']);
    }),
    { numRuns: 60 },
  );
  await expectAlive();
});
