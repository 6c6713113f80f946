import { describe, expect, it } from 'vitest';
import type { ServeOptions } from '../../src/index.ts';
import { endpointOf, post, stream } from '../fixture.ts';
import { LegacySession, messageWhere, nextMessage, type Message } from './legacy-session.ts';
import { servingTasks } from './task-server.ts';

const RELATED = 'io.modelcontextprotocol/related-task';
const isFinal = ({ status }: Record<string, unknown>): boolean =>
  ['completed', 'failed', 'cancelled'].includes(String(status));

/** Whoever a header names: what authenticates is not what these tests are about. */
const byHeader: Partial<ServeOptions> = {
  auth: ({ headers }) => ({ id: String(headers['x-principal'] ?? 'nobody') }),
};

describe('the handshake', () => {
  it('announces tasks for 2025-11-25', async () => {
    const { url } = await servingTasks(byHeader);
    const { initialized } = await LegacySession.open(url);
    expect(initialized).toMatchObject({
      protocolVersion: '2025-11-25',
      capabilities: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
    });
  });

  it('announces no list to whoever did not authenticate', async () => {
    const { url } = await servingTasks();
    const session = await LegacySession.open(url);
    const { tasks } = session.initialized['capabilities'] as { tasks: object };
    expect(tasks).toEqual({ cancel: {}, requests: { tools: { call: {} } } });
    expect(await session.ask('tasks/list')).toMatchObject({ error: { code: -32601 } });
  });

  it('announces nothing for older versions, nor without the option', async () => {
    const older = await LegacySession.open((await servingTasks()).url, {
      protocolVersion: '2025-06-18',
    });
    expect(older.initialized['capabilities']).not.toHaveProperty('tasks');
    const { url } = await servingTasks({ tasks: { '*': 'forbidden' } });
    const session = await LegacySession.open(url);
    expect(session.initialized['capabilities']).not.toHaveProperty('tasks');
    expect(await session.ask('tasks/get', { taskId: 'x' })).toMatchObject({
      error: { code: -32601 },
    });
  });
});

describe('tools/list', () => {
  it('says which calls may be tasks, to clients that know of it', async () => {
    const { url } = await servingTasks({ tasks: { quick: 'optional', 'g*': 'required' } });
    const session = await LegacySession.open(url);
    const { result } = await session.ask('tools/list');
    const tools = result?.['tools'] as { name: string; execution?: object }[];
    const told = Object.fromEntries(tools.map(({ name, execution }) => [name, execution]));
    expect(told).toMatchObject({
      quick: { taskSupport: 'optional' },
      gate: { taskSupport: 'required' },
    });
    expect(told['list'] ?? { taskSupport: 'forbidden' }).toEqual({ taskSupport: 'forbidden' });
    const older = await LegacySession.open(url, { protocolVersion: '2025-06-18' });
    const listed = (await older.ask('tools/list')).result?.['tools'] as object[];
    expect(listed[0]).not.toHaveProperty('execution.taskSupport', 'optional');
  });
});

describe('a call', () => {
  it('is a task where the client asks for one', async () => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url);
    const { result } = await session.ask('tools/call', {
      name: 'gate',
      arguments: {},
      task: { ttl: 60_000 },
    });
    expect(result).toEqual({
      task: {
        taskId: expect.stringMatching(/^[\w-]{22,}$/) as string,
        status: 'working',
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        lastUpdatedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        ttl: 60_000,
        pollInterval: 1_000,
      },
    });
    const { taskId } = (result as { task: { taskId: string } }).task;
    const working = await session.until(taskId, (task) => 'statusMessage' in task);
    expect(working).toMatchObject({ taskId, status: 'working', statusMessage: '3 of 10' });
    world.open();
    expect(await session.until(taskId, isFinal)).toMatchObject({ status: 'completed' });
    expect((await session.ask('tasks/result', { taskId })).result).toMatchObject({
      content: [{ type: 'text', text: 'gone through' }],
      _meta: { [RELATED]: { taskId } },
    });
    expect(world.said.filter((it) => it === 'begun')).toHaveLength(1);
  });

  it('gives the server no task of its own', async () => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url, { capabilities: { elicitation: {} } });
    await session.task('quick');
    const [first, second] = world.made;
    expect(first).toMatchObject({ sessionId: session.headers['mcp-session-id'] });
    expect(second?.sessionId).toBeUndefined();
  });

  it.each([
    ['required', undefined, 'This tool runs as a task only'],
    ['forbidden', {}, 'This tool cannot run as a task'],
  ])('is refused where that does not fit: %s', async (setting, task, message) => {
    const { url, world } = await servingTasks({
      tasks: { gate: setting as 'required', quick: 'optional' },
    });
    const session = await LegacySession.open(url);
    const { error } = await session.ask('tools/call', { name: 'gate', arguments: {}, task });
    expect(error).toMatchObject({
      code: -32601,
      message: expect.stringContaining(message) as string,
    });
    expect(world.said).toEqual([]);
  });

  it('is an ordinary one of a tool that is optional, and in older versions always', async () => {
    const { url } = await servingTasks({ tasks: { '*': 'optional' } });
    const session = await LegacySession.open(url);
    const params = { name: 'quick', arguments: {} };
    expect((await session.ask('tools/call', params)).result).toMatchObject({
      content: [{ text: 'quick' }],
    });
    const older = await LegacySession.open(url, { protocolVersion: '2025-03-26' });
    expect((await older.ask('tools/call', { ...params, task: {} })).result).toMatchObject({
      content: [{ text: 'quick' }],
    });
  });

  it('is refused in older versions where it can be a task only', async () => {
    const { url } = await servingTasks();
    const older = await LegacySession.open(url, { protocolVersion: '2025-06-18' });
    const { error } = await older.ask('tools/call', { name: 'quick', arguments: {}, task: {} });
    expect(error).toMatchObject({
      code: -32601,
      message: expect.stringContaining('2025-11-25') as string,
    });
  });

  it.each([
    [{ ttl: 'long' }, 'task.ttl must be a number'],
    [{ ttl: -1 }, 'task.ttl must be a number'],
    ['yes', 'task must be an object'],
  ])('is refused with a wrong task: %j', async (task, message) => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url);
    const { error } = await session.ask('tools/call', { name: 'gate', arguments: {}, task });
    expect(error).toMatchObject({
      code: -32602,
      message: expect.stringContaining(message) as string,
    });
    expect(world.said).toEqual([]);
  });

  it('bounds the time that a client may ask for', async () => {
    const { url } = await servingTasks({ tasks: { '*': { task: 'required', ttlMs: 5_000 } } });
    const session = await LegacySession.open(url);
    const ttlOf = async (ttl: number): Promise<unknown> => {
      const taskId = await session.task('quick', { task: { ttl } });
      return (await session.ask('tasks/get', { taskId })).result?.['ttl'];
    };
    expect(await ttlOf(1e12)).toBe(5_000);
    expect(await ttlOf(3_000)).toBe(3_000);
    expect(await ttlOf(0)).toBe(1_000);
  });

  it('is answered once when it is sent again', async () => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url);
    const body = {
      jsonrpc: '2.0',
      id: 77,
      method: 'tools/call',
      params: { name: 'gate', arguments: {}, task: {} },
    };
    const [one, two] = [
      await post(url, body, session.headers),
      await post(url, body, session.headers),
    ];
    const idIn = (text: string): string | undefined => /"taskId":"([^"]+)"/.exec(text)?.[1];
    expect(idIn(one.text)).toBeDefined();
    expect(idIn(two.text)).toBe(idIn(one.text));
    await session.until(idIn(one.text)!, () => world.said.includes('begun'));
    expect(world.said.filter((it) => it === 'begun')).toHaveLength(1);
  });
});

describe('tasks/result', () => {
  it('waits for the end, and tells progress with the token of who waits', async () => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url);
    const taskId = await session.task('gate');
    const waiting = await session.begin('tasks/result', { taskId, _meta: { progressToken: 'p' } });
    expect(await nextMessage(waiting.stream)).toMatchObject({
      method: 'notifications/progress',
      params: { progressToken: 'p', progress: 3, total: 10, _meta: { [RELATED]: { taskId } } },
    });
    world.open();
    const { result } = await messageWhere(waiting.stream, ({ id }) => id === waiting.id);
    expect(result).toMatchObject({ content: [{ text: 'gone through' }] });
    expect(await waiting.stream.next()).toBeUndefined();
  });

  it('tells progress with the token of the call, once, where the same session waits', async () => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url);
    const main = await session.listen();
    const taskId = await session.task('gate', { _meta: { progressToken: 'call' } });
    const told = await nextMessage(main);
    expect(told.params).toMatchObject({ progressToken: 'call', progress: 3 });
    const waiting = await session.begin('tasks/result', { taskId, _meta: { progressToken: 'w' } });
    world.open();
    expect((await nextMessage(waiting.stream)).result).toMatchObject({
      content: [{ text: 'gone through' }],
    });
  });

  it('can be asked again after its stream was lost, and its stream can be resumed', async () => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url);
    const taskId = await session.task('gate');
    const first = await session.begin('tasks/result', { taskId });
    const priming = await first.stream.next();
    first.stream.close();
    const second = await session.begin('tasks/result', { taskId });
    const resumed = await session.listen(priming?.id);
    world.open();
    const expected = { content: [{ text: 'gone through' }] };
    for (const { stream: from, id } of [second, { stream: resumed, id: first.id }]) {
      expect((await messageWhere(from, (message) => message.id === id)).result).toMatchObject(
        expected,
      );
    }
    expect((await session.ask('tasks/result', { taskId })).result).toMatchObject(expected);
  });

  it('is reached from another session of the principal, once the first has ended', async () => {
    const { url, world } = await servingTasks(byHeader);
    const first = await LegacySession.open(url, { principal: 'ada' });
    const taskId = await first.task('gate');
    await first.until(taskId, () => world.said.includes('begun'));
    await first.end();
    const second = await LegacySession.open(url, { principal: 'ada' });
    const waiting = await second.begin('tasks/result', { taskId });
    world.open();
    const { result } = await messageWhere(waiting.stream, ({ id }) => id === waiting.id);
    expect(result).toMatchObject({ content: [{ text: 'gone through' }] });
    expect(world.said).toEqual(['begun', 'ended', 'aborted']);
  });

  it('gives an error of the call as the call would have', async () => {
    const { url } = await servingTasks({ tasks: { '*': 'required' } });
    const session = await LegacySession.open(url);
    const taskId = await session.task('throws');
    const failed = await session.until(taskId, isFinal);
    expect(failed).toMatchObject({ status: 'failed', statusMessage: 'it went wrong' });
    expect((await session.ask('tasks/result', { taskId })).result).toMatchObject({
      isError: true,
      content: [{ text: 'it went wrong' }],
      _meta: { [RELATED]: { taskId } },
    });
    const unknown = await session.task('no_such_tool');
    expect(await session.until(unknown, isFinal)).toMatchObject({ status: 'failed' });
    expect((await session.ask('tasks/result', { taskId: unknown })).error).toMatchObject({
      code: -32602,
    });
  });

  it('lets a client leave, and forgets it', async () => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url);
    const taskId = await session.task('gate');
    const { id, stream: left } = await session.begin('tasks/result', { taskId });
    await session.tell({ method: 'notifications/cancelled', params: { requestId: id } });
    // The priming event is all.
    expect((await left.next())?.data).toBe('');
    expect(await left.next()).toBeUndefined();
    world.open();
    expect(await session.until(taskId, isFinal)).toMatchObject({ status: 'completed' });
  });
});

describe('input', () => {
  const answer = { action: 'accept', content: { name: 'Ada' } };
  const isAsked = ({ method }: { method?: string }): boolean => method === 'elicitation/create';

  it.each(['greet', 'greet_newly'])(
    'is asked for on the stream of tasks/result: %s',
    async (tool) => {
      const { url } = await servingTasks();
      const session = await LegacySession.open(url);
      const taskId = await session.task(tool);
      await session.until(taskId, ({ status }) => status === 'input_required');
      const waiting = await session.begin('tasks/result', { taskId });
      const asked = await nextMessage(waiting.stream);
      expect(asked).toMatchObject({
        method: 'elicitation/create',
        params: { message: 'Your name?', _meta: { [RELATED]: { taskId } } },
      });
      await session.tell({ id: asked.id, result: answer });
      const { result } = await nextMessage(waiting.stream);
      expect(result).toMatchObject({ content: [{ text: 'Hello, Ada' }] });
    },
  );

  it('is asked for on a stream that waits already', async () => {
    const { url } = await servingTasks();
    const session = await LegacySession.open(url);
    const waiting = await session.begin('tasks/result', { taskId: await session.task('greet') });
    const asked = await messageWhere(waiting.stream, isAsked);
    await session.tell({ id: asked.id, error: { code: -1, message: 'nobody is here' } });
    const { result } = await nextMessage(waiting.stream);
    expect(result).toMatchObject({ isError: true });
  });

  it('is asked for once, while somebody hears it', async () => {
    const { url } = await servingTasks();
    const session = await LegacySession.open(url);
    const taskId = await session.task('greet');
    const first = await session.begin('tasks/result', { taskId });
    const asked = await messageWhere(first.stream, isAsked);
    const second = await session.begin('tasks/result', { taskId });
    await session.tell({ id: asked.id, result: answer });
    await session.tell({ id: asked.id, result: { action: 'decline' } });
    for (const { stream: from } of [first, second]) {
      expect((await nextMessage(from)).result).toMatchObject({ content: [{ text: 'Hello, Ada' }] });
    }
  });

  it('is asked for again where the one who was asked is gone', async () => {
    const { url } = await servingTasks(byHeader);
    const first = await LegacySession.open(url, { principal: 'ada' });
    const taskId = await first.task('greet');
    const lost = await first.begin('tasks/result', { taskId });
    const asked = await messageWhere(lost.stream, isAsked);
    const second = await LegacySession.open(url, { principal: 'ada' });
    const waiting = await second.begin('tasks/result', { taskId });
    await first.end();
    const again = await messageWhere(waiting.stream, isAsked);
    expect(again.id).not.toBe(asked.id);
    // What was asked of one session is not answered by another.
    await second.tell({ id: asked.id, result: { action: 'decline' } });
    await second.tell({ id: again.id, result: answer });
    const { result } = await nextMessage(waiting.stream);
    expect(result).toMatchObject({ content: [{ text: 'Hello, Ada' }] });
  });

  it('is kept on a stream that nobody reads, for who resumes it', async () => {
    const { url } = await servingTasks();
    const session = await LegacySession.open(url);
    const taskId = await session.task('greet');
    const lost = await session.begin('tasks/result', { taskId });
    const asked = await messageWhere(lost.stream, isAsked);
    lost.stream.close();
    const before = `${asked.eventId.split('.')[0]}.0`;
    const resumed = await session.listen(before);
    expect((await messageWhere(resumed, isAsked)).id).toBe(asked.id);
    await session.tell({ id: asked.id, result: answer });
    expect((await nextMessage(resumed)).result).toMatchObject({
      content: [{ text: 'Hello, Ada' }],
    });
  });
});

describe('the stream of the session', () => {
  it('tells progress with the token of the call, and the status', async () => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url);
    const main = await session.listen();
    const taskId = await session.task('gate', { _meta: { progressToken: 'mine' } });
    const progress = await nextMessage(main);
    expect(progress).toMatchObject({
      method: 'notifications/progress',
      params: { progressToken: 'mine', progress: 3, total: 10, _meta: { [RELATED]: { taskId } } },
    });
    world.open();
    expect(await nextMessage(main)).toMatchObject({
      method: 'notifications/tasks/status',
      params: { taskId, status: 'completed', ttl: 3_600_000 },
    });
  });
});

describe('the stream of the session, while nobody waits in tasks/result', () => {
  const answer = { action: 'accept', content: { name: 'Ada' } };
  const isAsked = ({ method }: { method?: string }): boolean => method === 'elicitation/create';

  it('asks what a task asks for', async () => {
    const { url } = await servingTasks();
    const session = await LegacySession.open(url);
    const main = await session.listen();
    const taskId = await session.task('greet');
    const asked = await messageWhere(main, isAsked);
    expect(asked.params).toMatchObject({ message: 'Your name?', _meta: { [RELATED]: { taskId } } });
    await session.tell({ id: asked.id, result: answer });
    await session.until(taskId, isFinal);
    const { result } = await session.ask('tasks/result', { taskId });
    expect(result).toMatchObject({ content: [{ text: 'Hello, Ada' }] });
  });

  it('asks what a task asked while nobody read it, once the client looks at the task', async () => {
    const { url } = await servingTasks();
    const session = await LegacySession.open(url);
    const taskId = await session.task('greet');
    await session.until(taskId, ({ status }) => status === 'input_required');
    const main = await session.listen();
    await session.ask('tasks/get', { taskId });
    const asked = await messageWhere(main, isAsked);
    await session.ask('tasks/get', { taskId });
    await session.tell({ id: asked.id, result: answer });
    await session.until(taskId, isFinal);
    const { result } = await session.ask('tasks/result', { taskId });
    expect(result).toMatchObject({ content: [{ text: 'Hello, Ada' }] });
  });

  it('asks once, whoever waits later', async () => {
    const { url } = await servingTasks();
    const session = await LegacySession.open(url);
    const main = await session.listen();
    const taskId = await session.task('greet');
    const asked = await messageWhere(main, isAsked);
    const waiting = await session.begin('tasks/result', { taskId });
    await session.tell({ id: asked.id, result: answer });
    const { result } = await nextMessage(waiting.stream);
    expect(result).toMatchObject({ content: [{ text: 'Hello, Ada' }] });
  });

  it('takes back what is not waited for any more', async () => {
    const { url } = await servingTasks();
    const session = await LegacySession.open(url);
    const main = await session.listen();
    const taskId = await session.task('greet');
    const asked = await messageWhere(main, isAsked);
    await session.ask('tasks/cancel', { taskId });
    const { params } = await messageWhere(
      main,
      ({ method }) => method === 'notifications/cancelled',
    );
    expect(params).toMatchObject({ requestId: asked.id });
  });
});

describe('other principals', () => {
  it('see no task that is not theirs', async () => {
    const { url, world } = await servingTasks(byHeader);
    const ada = await LegacySession.open(url, { principal: 'ada' });
    const bob = await LegacySession.open(url, { principal: 'bob' });
    const taskId = await ada.task('gate');
    const none = await bob.ask('tasks/get', { taskId: 'never' });
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const { error } = await bob.ask(method, { taskId });
      expect(error).toEqual(none.error);
    }
    expect(none.error?.code).toBe(-32602);
    expect((await bob.ask('tasks/list')).result).toEqual({ tasks: [] });
    expect((await ada.ask('tasks/list')).result).toMatchObject({ tasks: [{ taskId }] });
    world.open();
    expect(await ada.until(taskId, isFinal)).toMatchObject({ status: 'completed' });
  });

  it('list their own in pages', async () => {
    const { url } = await servingTasks(byHeader);
    const ada = await LegacySession.open(url, { principal: 'ada' });
    const made: string[] = [];
    for (let count = 0; count < 53; count++) made.push(await ada.task('quick'));
    const { result: first } = await ada.ask('tasks/list');
    const { result: second } = await ada.ask('tasks/list', { cursor: first?.['nextCursor'] });
    const listed = [first, second].flatMap((page) => page?.['tasks'] as { taskId: string }[]);
    expect(listed.map(({ taskId }) => taskId)).toEqual(made);
    expect(second).not.toHaveProperty('nextCursor');
    expect((await ada.ask('tasks/list', { cursor: 'none' })).error).toMatchObject({ code: -32602 });
  });
});

describe('tasks/cancel', () => {
  it('cancels what runs, and refuses what has ended', async () => {
    const { url, world } = await servingTasks();
    const session = await LegacySession.open(url);
    const taskId = await session.task('gate');
    await session.until(taskId, () => world.said.includes('begun'));
    const waiting = await session.begin('tasks/result', { taskId });
    const { result } = await session.ask('tasks/cancel', { taskId });
    expect(result).toMatchObject({ taskId, status: 'cancelled' });
    expect(world.said).toContain('aborted');
    const { error } = await messageWhere(waiting.stream, ({ id }) => id === waiting.id);
    expect(error).toMatchObject({ message: expect.stringContaining('cancelled') as string });
    expect((await session.ask('tasks/cancel', { taskId })).error).toMatchObject({
      code: -32602,
      message: expect.stringContaining('cancelled') as string,
    });
  });
});

describe('HTTP+SSE of 2024-11-05', () => {
  it('calls the same tools in the ordinary way, and refuses what can be a task only', async () => {
    const { url } = await servingTasks({ tasks: { quick: 'optional', gate: 'required' } });
    const events = await stream(url.replace('/mcp', '/sse'));
    const endpoint = await endpointOf(events, url);
    const ask = async (id: number, method: string, params: object): Promise<unknown> => {
      await post(endpoint, { jsonrpc: '2.0', id, method, params });
      return JSON.parse(await events.nextOf('message'));
    };
    const initialized = await ask(1, 'initialize', {
      protocolVersion: '2024-11-05',
      capabilities: {},
      clientInfo: { name: 'raw', version: '1' },
    });
    expect(initialized).not.toHaveProperty('result.capabilities.tasks');
    const params = { arguments: {}, task: {} };
    expect(await ask(2, 'tools/call', { name: 'quick', ...params })).toMatchObject({
      result: { content: [{ text: 'quick' }] },
    });
    expect(await ask(3, 'tools/call', { name: 'gate', ...params })).toMatchObject({
      error: { code: -32601 },
    });
  });

  it('has tasks where the version that was agreed on has them', async () => {
    const { url } = await servingTasks();
    const events = await stream(url.replace('/mcp', '/sse'));
    const endpoint = await endpointOf(events, url);
    const tell = (message: object): Promise<unknown> =>
      post(endpoint, { jsonrpc: '2.0', ...message });
    const next = async (): Promise<Message> =>
      JSON.parse(await events.nextOf('message')) as Message;
    const clientInfo = { name: 'raw', version: '1' };
    const capabilities = { elicitation: { form: {} } };
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo };
    await tell({ id: 1, method: 'initialize', params });
    expect((await next()).result).toHaveProperty('capabilities.tasks.requests.tools.call');
    await tell({ id: 2, method: 'tools/call', params: { name: 'greet', arguments: {}, task: {} } });
    const { taskId } = ((await next()).result as { task: { taskId: string } }).task;
    await tell({ id: 3, method: 'tasks/result', params: { taskId } });
    const asked = await untilMessage(next, ({ method }) => method === 'elicitation/create');
    await tell({ id: asked.id, result: { action: 'accept', content: { name: 'Ada' } } });
    const { result } = await untilMessage(next, ({ id }) => id === 3);
    expect(result).toMatchObject({
      content: [{ text: 'Hello, Ada' }],
      _meta: { [RELATED]: { taskId } },
    });
  });
});

async function untilMessage(
  next: () => Promise<Message>,
  isSo: (message: Message) => boolean,
): Promise<Message> {
  for (;;) {
    const message = await next();
    if (isSo(message)) return message;
  }
}
