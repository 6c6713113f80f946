import { describe, expect, it } from 'vitest';
import { startModernServer } from '../../../../test/support/modern-server.ts';
import { until } from '../../../../test/support/until.ts';
import { connect, createClient } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { listing, quick, runsOf, said, statesOf } from '../support/recovery.ts';
import { atTheEndOfEachTest } from '../support/streamable.ts';

const { serve, client: makeClient, closeLater } = atTheEndOfEachTest();
const once = { ...quick, keepAlive: false };

const named = (...names: string[]) => names.map((name) => ({ name }));

describe('a client with keepAlive: false', () => {
  it('ends its session after a call, and makes another for the next', async () => {
    const server = await serve();
    const client = makeClient(server.url, once);
    const states = statesOf(client);
    expect(await client.callTool('echo', { message: 'a' })).toEqual(said('a'));
    await until(() => expect(server.endedSessions()).toBe(1));
    await until(() => expect(client.state.name).toBe('closed'));
    expect(await client.callTool('echo', { message: 'b' })).toEqual(said('b'));
    await until(() => expect(server.endedSessions()).toBe(2));
    expect(server.openedSessions()).toBe(2);
    await until(() =>
      expect(states).toMatchObject(
        named('connecting', 'ready', 'closed', 'connecting', 'ready', 'closed'),
      ),
    );
    await until(() => expect(server.openConnections()).toBe(0));
    expect(client.name).toBe('hostile');
  });

  it('has one connection for calls at a time, and for one after the other', async () => {
    const server = await serve();
    const client = makeClient(server.url, once);
    const echo = (message: string) => client.callTool('echo', { message });
    await Promise.all([echo('a'), echo('b'), client.callTool('slow', { ms: 50 })]);
    expect(await echo('c')).toEqual(said('c'));
    await client.listTools();
    expect(server.openedSessions()).toBe(1);
    await until(() => expect(server.endedSessions()).toBe(1));
  });

  it('keeps the connection of connect() for what is asked at once, and no longer', async () => {
    const server = await serve();
    const client = closeLater(await connect(server.url, once));
    await client.callTool('echo', { message: 'a' });
    expect(server.openedSessions()).toBe(1);
    await until(() => expect(server.endedSessions()).toBe(1));
    await client.connect();
    await until(() => expect(server.endedSessions()).toBe(2));
  });

  it('does not end a call because another was aborted', async () => {
    const server = await serve();
    const client = makeClient(server.url, once);
    const ending = new AbortController();
    const hang = failureOf(client.callTool('hang', {}, { signal: ending.signal }));
    const slow = client.callTool('slow', { ms: 100 });
    await until(() => expect(runsOf(server, 'hang')).toHaveLength(1));
    ending.abort();
    expect(await hang).toMatchObject({ code: 'aborted', certainty: 'outcome-unknown' });
    expect(await slow).toEqual(said('done'));
    expect(server.openedSessions()).toBe(1);
  });

  it('knows on the next connection which tools are safe, without asking again', async () => {
    const server = await serve({ answer: listing({ echo: { readOnlyHint: true }, add: {} }) });
    const client = makeClient(server.url, once);
    await client.listTools();
    await until(() => expect(server.endedSessions()).toBe(1));

    Object.assign(server.mischief, { cutOn: 'tools/call', cuts: 1, getAnswer: { status: 405 } });
    expect(await client.callTool('echo', { message: 'a' })).toEqual(said('a'));
    expect(runsOf(server, 'echo')).toHaveLength(2);
    await until(() => expect(server.endedSessions()).toBe(2));

    server.mischief.cuts = 1;
    expect(await failureOf(client.callTool('add', { a: 1, b: 2 }))).toMatchObject({
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
    expect(runsOf(server, 'add')).toHaveLength(1);
    expect(server.messagesOf('tools/list')).toHaveLength(1);
  });

  it('keeps the output schemas', async () => {
    const outputSchema = { type: 'object', properties: { n: { type: 'number' } } };
    const server = await serve({
      answer: ({ method }) =>
        method === 'tools/list'
          ? { tools: [{ name: 'echo', inputSchema: { type: 'object' }, outputSchema }] }
          : undefined,
    });
    const client = makeClient(server.url, once);
    await client.listTools();
    await until(() => expect(server.endedSessions()).toBe(1));
    expect(await failureOf(client.callTool('echo', { message: 'a' }))).toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('there is none'),
    });
  });

  it('compares the tools with those of before, if there is a listener', async () => {
    let tools = listing({ echo: {} });
    const server = await serve({ answer: (request) => tools(request) });
    const client = makeClient(server.url, once);
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    await client.listTools();
    await until(() => expect(server.endedSessions()).toBe(1));
    tools = listing({ echo: {}, other: {} });
    await client.callTool('slow', { ms: 100 });
    await until(() => expect(changes).toBe(1));
    await until(() => expect(server.endedSessions()).toBe(2));
    await client.callTool('slow', { ms: 100 });
    await until(() => expect(server.messagesOf('tools/list')).toHaveLength(3));
    await until(() => expect(server.endedSessions()).toBe(3));
    expect(changes).toBe(1);
  });

  it('tries again after a dial that failed', async () => {
    const server = await serve({ postFaults: [{ status: 500, times: 4 }] });
    const client = makeClient(server.url, { ...once, transport: 'streamable-http' });
    await failureOf(client.callTool('echo', { message: 'a' }));
    await until(() => expect(client.state.name).toBe('closed'));
    server.mischief.postFaults = [];
    expect(await client.callTool('echo', { message: 'b' })).toEqual(said('b'));
  });

  it('goes for servers without sessions, too', async () => {
    const server = closeLater(await startModernServer());
    const client = makeClient(server.url, once);
    const states = statesOf(client);
    for (const message of ['a', 'b']) {
      await client.callTool('echo', { message });
      await until(() => expect(client.state.name).toBe('closed'));
    }
    expect(states).toMatchObject(
      named('connecting', 'ready', 'closed', 'connecting', 'ready', 'closed'),
    );
  });

  it('is true or false', () => {
    expect(() => createClient('http://127.0.0.1:1', { keepAlive: 1 as never })).toThrow(
      new TypeError('keepAlive: neither true nor false'),
    );
  });
});
