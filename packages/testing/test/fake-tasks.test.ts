import { once } from 'node:events';
import { LongwireError, textOf, type TaskHandle } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { fakeClient, type FakeToolDefinition } from '../src/index.ts';

expectNothingLeftOpen();

const failureOf = (call: Promise<unknown>): Promise<LongwireError> =>
  call.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error as LongwireError,
  );

describe.each(['2025-11-25', '2026-07-28'] as const)('a fake client of protocol %s', (protocol) => {
  it('makes tasks of the calls of a tool, and answers with their results', async () => {
    const report: FakeToolDefinition = {
      task: 'required',
      run: ({ year }, { onProgress }) => {
        onProgress({ progress: 1, total: 2, message: 'half of it' });
        return `report of ${String(year)}`;
      },
    };
    await using client = fakeClient({ tools: { report, plain: () => 'plain' } }, { protocol });
    await client.listTools();
    const handles: TaskHandle[] = [];
    const onTask = (task: TaskHandle): unknown => handles.push(task);
    const results = await Promise.all(
      [2025, 2026].map((year) => client.callTool('report', { year }, { onTask })),
    );
    expect(results.map(textOf)).toEqual(['report of 2025', 'report of 2026']);
    expect(handles.map(({ taskId }) => taskId)).toEqual(['task-1', 'task-2']);
    expect(await handles[0]?.status()).toMatchObject({
      status: 'completed',
      statusMessage: 'half of it',
    });
    expect(textOf(await client.callTool('plain', {}, { onTask }))).toBe('plain');
    expect(handles).toHaveLength(2);
    expect(client.calls.map(({ tool }) => tool)).toEqual(['report', 'report', 'plain']);
  });

  it('has tasks that another process has begun', async () => {
    let ran = 0;
    await using client = fakeClient(
      { tasks: { 'task-7': () => `done ${++ran}`, lost: () => Promise.reject(lostError()) } },
      { protocol },
    );
    const task = client.task('task-7');
    expect(textOf(await task.result())).toBe('done 1');
    expect(textOf(await task.result())).toBe('done 1');
    expect(await failureOf(client.task('lost').result())).toMatchObject({
      code: 'server-error',
      certainty: 'outcome-unknown',
      taskId: 'lost',
    });
    expect(await failureOf(client.task('none').result())).toMatchObject({
      certainty: 'outcome-unknown',
    });
  });

  it('asks for input, and cancels', async () => {
    const asked: string[] = [];
    const began = new EventTarget();
    let wasAborted = false;
    const ask: FakeToolDefinition = {
      task: 'required',
      run: async (_, context) => {
        const requestedSchema = { type: 'object', properties: {} };
        const params = { mode: 'form', message: 'Who?', requestedSchema };
        const { content } = (await context.ask('elicitation/create', params)) as {
          content: { name: string };
        };
        return `hello ${content.name}`;
      },
    };
    const endless: FakeToolDefinition = {
      task: 'required',
      run: async (_, { signal }) => {
        began.dispatchEvent(new Event('began'));
        await once(signal, 'abort');
        wasAborted = true;
      },
    };
    await using client = fakeClient(
      { tools: { ask, endless } },
      {
        protocol,
        handlers: {
          elicitation: ({ message }) => {
            asked.push(message);
            return { action: 'accept', content: { name: 'Ann' } };
          },
        },
      },
    );
    await client.listTools();
    expect(textOf(await client.callTool('ask'))).toBe('hello Ann');
    expect(asked).toEqual(['Who?']);

    const ending = new AbortController();
    const hasBegun = once(began, 'began');
    const call = failureOf(
      client.callTool('endless', {}, { signal: ending.signal, onTask: () => ending.abort() }),
    );
    await hasBegun;
    expect(await call).toMatchObject({ code: 'aborted', taskId: 'task-2' });
    expect(await client.task('task-2').status()).toMatchObject({ status: 'cancelled' });
    expect(wasAborted).toBe(true);
  });

  it('fails with the error of a tool, unchanged', async () => {
    const thrown = lostError();
    const buy: FakeToolDefinition = { task: 'required', run: () => Promise.reject(thrown) };
    await using client = fakeClient({ tools: { buy } }, { protocol });
    await client.listTools();
    expect(await failureOf(client.callTool('buy'))).toBe(thrown);
  });
});

function lostError(): LongwireError {
  return new LongwireError('the connection was lost', {
    code: 'connection-lost',
    certainty: 'outcome-unknown',
  });
}
