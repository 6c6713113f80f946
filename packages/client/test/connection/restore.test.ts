import { describe, expect, it } from 'vitest';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import { until } from '../../../../test/support/until.ts';
import type { LongwireError } from '../../src/index.ts';
import { atTheEndOfEachTest, listing, quick, said, statesOf } from '../support/recovery.ts';

const { setUp } = atTheEndOfEachTest();

/** Accepts subscriptions and log levels. */
function obliging({ method }: RpcMessage): unknown {
  const isKnown = /^(resources\/(un)?subscribe|logging\/setLevel)$/.test(method ?? '');
  return isKnown ? {} : undefined;
}

describe('on a new session', () => {
  it('subscriptions and the log level are restored before waiting requests are sent', async () => {
    const { server, client } = await setUp({ answer: obliging });
    await client.subscribeResource('a:1');
    await client.subscribeResource('a:2');
    await client.subscribeResource('a:3');
    await client.unsubscribeResource('a:2');
    await client.setLogLevel('debug');
    await client.setLogLevel('error');
    const before = server.messages.length;
    server.cut();
    await until(() => expect(client.state.name).not.toBe('ready'));
    await client.callTool('echo', { message: 'x' });
    await until(() => expect(server.messages).toHaveLength(before + 6));
    const after = server.messages.slice(before);
    expect(after.map(({ method }) => method).slice(0, 2)).toEqual([
      'initialize',
      'notifications/initialized',
    ]);
    const restored = after.filter(({ method }) => method?.includes('/s'));
    expect(restored.map(({ method, params }) => [method, params])).toEqual(
      expect.arrayContaining([
        ['resources/subscribe', { uri: 'a:1' }],
        ['resources/subscribe', { uri: 'a:3' }],
        ['logging/setLevel', { level: 'error' }],
      ]),
    );
    expect(restored).toHaveLength(3);
  });

  it('nothing is asked for that the program never asked for', async () => {
    const { server, client } = await setUp();
    await client.callTool('echo', { message: 'x' });
    const before = server.messages.length;
    server.cut();
    await until(() => expect(client.state.name).not.toBe('ready'));
    await client.callTool('echo', { message: 'y' });
    expect(server.messages.slice(before).map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/call',
    ]);
  });

  it('the tool list is fetched again, and toolsChanged is emitted only if it differs', async () => {
    let tools = listing({ echo: { readOnlyHint: true }, add: {} });
    const { server, client } = await setUp({ answer: (request) => tools(request) });
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    await client.listTools();

    server.cut();
    await until(() => expect(server.messagesOf('tools/list')).toHaveLength(2));
    await client.callTool('echo', { message: 'x' });
    expect(changes).toBe(0);

    tools = listing({ add: {}, echo: { readOnlyHint: true } });
    server.cut();
    await until(() => expect(server.messagesOf('tools/list')).toHaveLength(3));
    await client.callTool('echo', { message: 'x' });
    expect(changes, 'the order means nothing').toBe(0);

    tools = listing({ echo: { readOnlyHint: false }, add: {} });
    server.cut();
    await until(() => expect(changes).toBe(1));
    expect(await client.listTools()).toMatchObject([{ name: 'echo' }, { name: 'add' }]);
  });

  it('the hints of the new list count', async () => {
    let tools = listing({ echo: { readOnlyHint: true } });
    const { server, client } = await setUp({ answer: (request) => tools(request) });
    await client.listTools();
    tools = listing({ echo: {} });
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    server.cut();
    await until(() => expect(changes).toBe(1));
    server.mischief.hangOnCall = true;
    const call = client.callTool('echo', { message: 'x' });
    const failed = expect(call).rejects.toMatchObject({ certainty: 'outcome-unknown' });
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    server.cut();
    await failed;
  });

  it('a list of many pages is fetched whole', async () => {
    let last = 'c';
    const { server, client } = await setUp({
      answer: ({ method, params }) => {
        if (method !== 'tools/list') return undefined;
        const isFirst = params?.['cursor'] === undefined;
        const name = isFirst ? 'a' : last;
        return { tools: [{ name }], ...(isFirst && { nextCursor: 'more' }) };
      },
    });
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    await client.listTools();
    last = 'd';
    server.cut();
    await until(() => expect(changes).toBe(1));
    expect(server.messagesOf('tools/list').map(({ params }) => params)).toEqual([
      {},
      { cursor: 'more' },
      {},
      { cursor: 'more' },
    ]);
  });

  it('what cannot be restored is reported, and fails nothing else', async () => {
    let isThere = true;
    const { server, client } = await setUp({
      answer: (request) => (isThere ? obliging(request) : undefined),
    });
    const errors: LongwireError[] = [];
    client.on('error', (error) => errors.push(error));
    await client.subscribeResource('a:1');
    isThere = false;
    server.cut();
    await until(() => expect(errors).toMatchObject([{ code: 'server-error', number: -32601 }]));
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
  });

  it('is asked for once, also when the session that should restore it is lost as well', async () => {
    const { server, client } = await setUp({ answer: obliging });
    await client.subscribeResource('a:1');
    server.mischief.postFaults = [{ method: 'resources/subscribe', status: 404, times: 1 }];
    server.cut();
    await until(() => expect(server.openedSessions()).toBe(3));
    await until(() => expect(server.messagesOf('resources/subscribe')).toHaveLength(2));
    await client.callTool('echo', { message: 'x' });
    await client.callTool('echo', { message: 'y' });
    expect(server.messagesOf('resources/subscribe')).toHaveLength(2);
  });

  it('is restored also when the stream is cut meanwhile, and resumed', async () => {
    let tools = listing({ echo: { readOnlyHint: true } });
    const { server, client } = await setUp({
      eventIds: true,
      dropsEvents: true,
      answer: (request) => tools(request),
    });
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    await client.listTools();
    tools = listing({ echo: {} });
    server.mischief.hangOn = 'tools/list';
    server.cut();
    await until(() => expect(server.messagesOf('tools/list')).toHaveLength(2));
    await until(() => expect(client.state.name).toBe('ready'));
    Object.assign(server.mischief, { dropsEvents: false, hangOn: undefined });
    server.cut();
    const id = server.messagesOf('tools/list')[1]?.id as number;
    server.push({ jsonrpc: '2.0', id, result: { tools: [{ name: 'echo' }] } });
    await until(() => expect(changes).toBe(1));
    expect(server.openedSessions()).toBe(2);
  });

  it('a request of the server before the handshake is done is answered, as on the first session', async () => {
    const { server } = await setUp({ eventIds: true, dropsEvents: true });
    server.mischief.answer = ({ method }) => {
      if (method === 'initialize') server.push({ jsonrpc: '2.0', id: 'early', method: 'ping' });
      return undefined;
    };
    server.cut();
    await until(() =>
      expect(server.messages).toContainEqual({ jsonrpc: '2.0', id: 'early', result: {} }),
    );
  });

  it('another server is reported as formerServer', async () => {
    let version = '1.0.0';
    const { server, client } = await setUp({
      answer: ({ method }) =>
        method === 'initialize'
          ? {
              protocolVersion: '2024-11-05',
              capabilities: { tools: {} },
              serverInfo: { name: 'ours', version },
              instructions: `of ${version}`,
            }
          : undefined,
    });
    const states = statesOf(client);
    const readies = () => states.filter(({ name }) => name === 'ready');
    server.cut();
    await until(() => expect(readies()).toHaveLength(1));
    expect(readies()[0]).not.toHaveProperty('formerServer');
    expect(client.server).toEqual({ name: 'ours', version: '1.0.0' });
    version = '2.0.0';
    server.cut();
    await until(() => expect(readies()).toHaveLength(2));
    expect(readies()[1]).toMatchObject({ formerServer: { name: 'ours', version: '1.0.0' } });
    expect(client.server).toEqual({ name: 'ours', version: '2.0.0' });
    expect(client.instructions).toBe('of 2.0.0');
    server.cut();
    await until(() => expect(readies()).toHaveLength(3));
    expect(readies()[2]).not.toHaveProperty('formerServer');
  });

  it('the handshake is the program’s own, word for word', async () => {
    const { server, client } = await setUp(
      {},
      { ...quick, clientInfo: { name: 'me', version: '7' } },
    );
    server.cut();
    await client.callTool('echo', { message: 'x' }, { idempotent: true });
    const [first, second] = server.messagesOf('initialize');
    expect(second?.params).toEqual(first?.params);
    expect(second?.id).not.toBe(first?.id);
    expect(second?.params).toMatchObject({ clientInfo: { name: 'me', version: '7' } });
  });

  it('a request that the server made on the old session is not answered', async () => {
    const answers: (() => void)[] = [];
    const roots = (): Promise<[]> => new Promise((resolve) => answers.push(() => resolve([])));
    const { server, client } = await setUp({}, { ...quick, handlers: { roots } });
    server.push({ jsonrpc: '2.0', id: 1, method: 'roots/list' });
    await until(() => expect(answers).toHaveLength(1));
    server.cut();
    await until(() => expect(server.messagesOf('notifications/initialized')).toHaveLength(2));
    await until(() => expect(client.state.name).toBe('ready'));
    server.push({ jsonrpc: '2.0', id: 1, method: 'roots/list' });
    await until(() => expect(answers).toHaveLength(2));
    answers[0]?.();
    await client.callTool('echo', { message: 'x' });
    expect(server.messages.filter(({ result }) => result !== undefined)).toEqual([]);
    answers[1]?.();
    await until(() =>
      expect(server.messages.filter(({ result }) => result !== undefined)).toEqual([
        { jsonrpc: '2.0', id: 1, result: { roots: [] } },
      ]),
    );
  });
});
