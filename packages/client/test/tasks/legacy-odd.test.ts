import type { ServerResponse } from 'node:http';
import { connect, createClient, type TaskHandle } from '@longwire/client';
import type { Progress } from '@modelcontextprotocol/client';
import { assert, describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import {
  rawTask,
  startRawTaskServer,
  type RawAnswer,
  type RawRequest,
} from './support/raw-task-server.ts';

expectNothingLeftOpen();

const tool = (taskSupport?: string): object => ({
  name: 'work',
  inputSchema: { type: 'object' },
  ...(taskSupport !== undefined && { execution: { taskSupport } }),
});
const REQUIRED = [tool('required')];
const DONE = { content: [{ type: 'text', text: 'done' }] };
const NOT_FOUND = { error: { code: -32_602, message: 'Failed to retrieve task: Task not found' } };
const stays: RawAnswer = { stays: () => {} };

describe('a call is no task', () => {
  const answersAtOnce = (): RawAnswer => ({ result: DONE });

  test.each<[string, object, object]>([
    ['where the server announces no tasks', {}, tool('required')],
    [
      'where it announces none of calls',
      { tasks: { list: {}, cancel: {}, requests: {} } },
      tool('required'),
    ],
    [
      'where the tool forbids it',
      { tasks: { requests: { tools: { call: {} } } } },
      tool('forbidden'),
    ],
    ['where the tool says nothing', { tasks: { requests: { tools: { call: {} } } } }, tool()],
    [
      'where the tool need not be one, and nobody wants to know of the task',
      { tasks: { requests: { tools: { call: {} } } } },
      tool('optional'),
    ],
  ])('%s', async (_where, capabilities, listed) => {
    await using server = await startRawTaskServer(answersAtOnce, { capabilities, tools: [listed] });
    await using client = await connect(server.url);
    expect(await client.callTool('work')).toEqual(DONE);
    expect(server.of('tools/call').map(({ params }) => params['task'])).toEqual([undefined]);
  });
});

test('a server that answers a task at once has answered', async () => {
  await using server = await startRawTaskServer(() => ({ result: DONE }), { tools: REQUIRED });
  await using client = await connect(server.url);
  const onTask = (): never => expect.unreachable('there is no task');
  expect(await client.callTool('work', {}, { onTask })).toEqual(DONE);
  expect(server.of('tools/call').map(({ params }) => params['task'])).toEqual([{}]);
  expect(server.of('tasks/get')).toEqual([]);
});

test('the tools are listed once, before the first call', async () => {
  await using server = await startRawTaskServer(() => ({ result: DONE }), { tools: REQUIRED });
  await using client = createClient(server.url);
  await Promise.all([client.callTool('work'), client.callTool('work')]);
  await client.callTool('work');
  expect(server.of('tools/list').length).toBeLessThanOrEqual(2);
  expect(server.of('tools/call').map(({ params }) => params['task'])).toEqual([{}, {}, {}]);
});

/** A server whose task goes on until it was asked `polls` times how it is. */
function working(
  polls: number,
  end: object,
  result: (isOver: boolean) => RawAnswer,
): (request: { method: string }) => RawAnswer {
  let asked = 0;
  return ({ method }) => {
    if (method === 'tools/call') return { result: { task: rawTask('working') } };
    if (method === 'tasks/get') {
      return { result: ++asked > polls ? { ...rawTask('completed'), ...end } : rawTask('working') };
    }
    if (method === 'tasks/result') return result(asked > polls);
    return { error: { code: -32_601, message: 'Method not found' } };
  };
}

describe('tasks/result', () => {
  test('that is refused while its task goes on is asked for again at the end, and not before', async () => {
    const notYet = { error: { code: -32_602, message: 'Task not completed yet' } };
    const answer = working(3, {}, (isOver) => (isOver ? { result: DONE } : notYet));
    await using server = await startRawTaskServer(answer, { tools: REQUIRED });
    await using client = await connect(server.url);
    expect(await client.callTool('work')).toEqual(DONE);
    expect(server.of('tasks/result')).toHaveLength(2);
  });

  test('that is refused while the server waits for an answer is asked for once more', async () => {
    let asked = 0;
    const answer = ({ method }: RawRequest): RawAnswer => {
      if (method === 'tools/call') return { result: { task: rawTask('working') } };
      if (method === 'tasks/result' && asked < 5) return NOT_FOUND;
      if (method === 'tasks/result') return { result: DONE };
      return { result: rawTask(++asked < 5 ? 'input_required' : 'completed') };
    };
    await using server = await startRawTaskServer(answer, { tools: REQUIRED });
    await using client = await connect(server.url);
    expect(await client.callTool('work')).toEqual(DONE);
    expect(server.of('tasks/result')).toHaveLength(3);
  });

  test('that is never answered does not keep the result', async () => {
    let asked = 0;
    const answer = working(2, {}, () => (++asked === 1 ? stays : { result: DONE }));
    await using server = await startRawTaskServer(answer, { tools: REQUIRED });
    await using client = await connect(server.url);
    expect(await client.callTool('work')).toEqual(DONE);
    expect(server.of('tasks/result')).toHaveLength(2);
  });

  test('that is answered with the error of the call is the error of the call', async () => {
    const error = { code: -32_050, message: 'no such export', data: { id: 7 } };
    const answer = working(0, { status: 'failed' }, () => ({ error }));
    await using server = await startRawTaskServer(answer, { tools: REQUIRED });
    await using client = await connect(server.url);
    expect(await failureOf(client.callTool('work'))).toMatchObject({
      code: 'server-error',
      certainty: 'answered',
      number: -32_050,
      data: { id: 7 },
      taskId: 't-1',
    });
  });

  test('of a task that was cancelled is not taken for its result', async () => {
    const answer = working(1, { status: 'cancelled', statusMessage: 'context canceled' }, () => ({
      result: { _meta: {} },
    }));
    await using server = await startRawTaskServer(answer, { tools: REQUIRED });
    await using client = await connect(server.url);
    const error = await failureOf(client.callTool('work'));
    expect(error).toMatchObject({ code: 'aborted', certainty: 'outcome-unknown', taskId: 't-1' });
    expect(error.message).toContain('context canceled');
  });
});

test('a server that does not know its task says so, and the call does not hang', async () => {
  const answer = ({ method }: { method: string }): RawAnswer =>
    method === 'tools/call' ? { result: { task: rawTask('working') } } : NOT_FOUND;
  await using server = await startRawTaskServer(answer, { tools: REQUIRED });
  await using client = await connect(server.url);
  const error = await failureOf(client.callTool('work'));
  expect(error).toMatchObject({ certainty: 'outcome-unknown', taskId: 't-1' });
});

test('notifications of its status are heard, and its end is asked for at once', async () => {
  let isOver = false;
  const open: ServerResponse[] = [];
  const answer = ({ method }: { method: string }): RawAnswer => {
    if (method === 'tools/call')
      return { result: { task: rawTask('working', { pollInterval: 9_000 }) } };
    if (method === 'tasks/get') {
      return { result: rawTask(isOver ? 'completed' : 'working', { pollInterval: 9_000 }) };
    }
    return isOver ? { result: DONE } : { stays: (response) => void open.push(response) };
  };
  await using server = await startRawTaskServer(answer, { tools: REQUIRED });
  await using client = await connect(server.url);
  const seen: unknown[] = [];
  const called = client.callTool('work', {}, { onProgress: ({ message }) => seen.push(message) });
  await until(() => server.of('tasks/result').length === 1);
  await until(() => {
    server.notify('notifications/tasks/status', rawTask('working', { statusMessage: 'half' }));
    return seen.length > 0;
  });
  expect(seen[0]).toBe('half');
  isOver = true;
  server.notify('notifications/tasks/status', rawTask('completed'));
  expect(await called).toEqual(DONE);
});

test('progress comes with the token of the call, in a new session, too', async () => {
  let isOver = false;
  const answer = ({ method }: { method: string }): RawAnswer => {
    if (method === 'tools/call') return { result: { task: rawTask('working') } };
    if (method === 'tasks/get') return { result: rawTask(isOver ? 'completed' : 'working') };
    return isOver ? { result: DONE } : stays;
  };
  await using server = await startRawTaskServer(answer, { tools: REQUIRED });
  await using client = await connect(server.url, { retry: { firstDelayMs: 1 } });
  const seen: number[] = [];
  const onProgress = ({ progress }: Progress): void => void seen.push(progress);
  const called = client.callTool('work', {}, { onProgress });
  await until(() => server.of('tasks/result').length === 1);
  const [call] = server.of('tools/call');
  assert(call);
  const { progressToken } = call.params['_meta'] as { progressToken: number };
  const tell = (progress: number) => (): boolean => {
    server.notify('notifications/progress', { progressToken, progress });
    return seen.includes(progress);
  };
  await until(tell(1));
  server.forgetSessions();
  await until(() => server.of('tasks/result').length >= 2);
  await until(tell(2));
  isOver = true;
  expect(await called).toEqual(DONE);
  server.notify('notifications/progress', { progressToken, progress: 3 });
  await client.listTools();
  expect(seen).not.toContain(3);
});

describe('what others have reported', () => {
  // https://github.com/mark3labs/mcp-go/issues/748
  test('a task that has completed, and whose result has no content, has an empty result', async () => {
    const meta = { 'io.modelcontextprotocol/related-task': { taskId: 't-1' } };
    const answer = working(1, {}, () => ({ result: { _meta: meta } }));
    await using server = await startRawTaskServer(answer, { tools: REQUIRED });
    await using client = await connect(server.url);
    expect(await client.callTool('work')).toEqual({ content: [], _meta: meta });
  });

  // https://github.com/mark3labs/mcp-go/issues/897
  test('a server that cancels its tasks by itself is not asked for more, where they are optional', async () => {
    const cancelled = working(
      0,
      { status: 'cancelled', statusMessage: 'context canceled' },
      () => stays,
    );
    const answer = (request: RawRequest): RawAnswer =>
      request.method === 'tools/call' && request.params['task'] === undefined
        ? { result: DONE }
        : cancelled(request);
    await using server = await startRawTaskServer(answer, { tools: [tool('optional')] });
    await using client = await connect(server.url);
    const ids: string[] = [];
    const onTask = ({ taskId }: TaskHandle): void => void ids.push(taskId);
    const error = await failureOf(client.callTool('work', {}, { onTask }));
    expect(error).toMatchObject({ code: 'aborted', certainty: 'outcome-unknown', taskId: 't-1' });
    expect(error.message).toContain('context canceled');
    expect(error.hint).toContain('no more tasks');
    expect(await client.callTool('work', {}, { onTask })).toEqual(DONE);
    expect(ids).toEqual(['t-1']);
  });

  // https://github.com/mcp-hangar/mcp-hangar/pull/368
  test('a task that nobody asked for is followed all the same', async () => {
    const answer = working(1, {}, (isOver) => (isOver ? { result: DONE } : stays));
    await using server = await startRawTaskServer(answer, { tools: [tool()], capabilities: {} });
    await using client = await connect(server.url);
    expect(await client.callTool('work')).toEqual(DONE);
  });

  test('a result that has something called task, and content, is a result', async () => {
    const result = { ...DONE, task: { taskId: 't-1', status: 'working' } };
    await using server = await startRawTaskServer(() => ({ result }), { tools: [tool()] });
    await using client = await connect(server.url);
    expect(await client.callTool('work')).toEqual(result);
  });

  // https://github.com/oaslananka/kicad-mcp-pro/pull/75
  test('a task that never ends, and says nothing new, ends with the deadline of its call', async () => {
    const same = rawTask('working', { statusMessage: 'Task not found.' });
    const answer = ({ method }: RawRequest): RawAnswer => {
      if (method === 'tools/call') return { result: { task: same } };
      return method === 'tasks/result' ? stays : { result: same };
    };
    await using server = await startRawTaskServer(answer, { tools: REQUIRED });
    await using client = await connect(server.url);
    const error = await failureOf(client.callTool('work', {}, { deadlineMs: 500 }));
    expect(error).toMatchObject({ code: 'deadline', certainty: 'outcome-unknown', taskId: 't-1' });
    await until(() => server.of('tasks/cancel').length === 1);
  });

  // https://github.com/TanStack/ai/issues/704
  test('a tool that wants tasks since it was listed is called as one', async () => {
    const tools = [tool()];
    const ends = working(0, {}, () => ({ result: DONE }));
    const answer = (request: RawRequest): RawAnswer =>
      request.method === 'tools/call' && request.params['task'] === undefined
        ? { error: { code: -32_600, message: 'Tool "work" requires task-based execution' } }
        : ends(request);
    await using server = await startRawTaskServer(answer, { tools });
    await using client = await connect(server.url);
    expect(await failureOf(client.callTool('work'))).toMatchObject({ number: -32_600 });
    tools.splice(0, 1, tool('required'));
    expect(await client.callTool('work')).toEqual(DONE);
    expect(server.of('tools/call').map(({ params }) => params['task'])).toEqual([
      undefined,
      undefined,
      {},
    ]);
  });
});
