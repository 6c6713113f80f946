import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/client';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import type { HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import { until } from '../../../../test/support/until.ts';
import { connect, createTransport, HttpStatusError } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import {
  atTheEndOfEachTest,
  dialsOf,
  quick,
  roundTrips,
  runsOf,
  said,
  statesOf,
} from '../support/recovery.ts';

const { setUp, serve, closeLater } = atTheEndOfEachTest();

/** The POSTs of all calls of `echo`. */
const echoPosts = ({ requests }: HostileSseServer): number =>
  requests.filter(({ method, body }) => method === 'POST' && body.includes('"echo"')).length;

/** A promise, and how to fulfil it. */
function latch(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('a call that is deferred for longer than any timer can run', () => {
  const days = 2_592_000;
  const inThirtyDays = [{ tool: 'echo', status: 503, headers: { 'retry-after': `${days}` } }];
  const refusal = { status: 503, retryAfterMs: days * 1000, certainty: 'refused' };

  it.each([
    ['the default limits', {}],
    ['no limits', { timeoutMs: Infinity, deadlineMs: Infinity }],
  ])('fails at once, with %s', async (_which, limits) => {
    const { server, client } = await setUp({ postFaults: inThirtyDays });
    const error = await failureOf(client.callTool('echo', { message: 'x' }, limits));
    expect(error).toBeInstanceOf(HttpStatusError);
    expect(error).toMatchObject(refusal);
    await roundTrips(client);
    expect(echoPosts(server)).toBe(1);
  });

  it('fails at once for the client of the SDK as well', async () => {
    const server = await serve({ postFaults: inThirtyDays });
    const sdk = closeLater(new Client({ name: 'sdk', version: '1' }));
    await sdk.connect(createTransport(server.url, { retry: { firstDelayMs: 5 } }));
    const call = sdk.callTool({ name: 'echo', arguments: { message: 'x' } });
    expect(await failureOf(call)).toMatchObject(refusal);
    await sdk.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
    expect(echoPosts(server)).toBe(1);
  });
});

describe('a client that is being closed', () => {
  it('does not send a call that waits for a connection and was reported as not sent', async () => {
    const farewell = latch();
    const { server, client } = await setUp({
      holdPost: ({ method }) => (method?.endsWith('/cancelled') ? farewell.opened : undefined),
    });
    const controller = new AbortController();
    const aborted = failureOf(client.callTool('hang', {}, { signal: controller.signal }));
    await until(() => expect(runsOf(server, 'hang')).toHaveLength(1));
    controller.abort();
    await aborted;
    await until(() => expect(server.messagesOf('notifications/cancelled')).toHaveLength(1));
    const write = failureOf(client.callTool('echo', { message: 'x' }));
    const closed = client.close();
    expect(await write).toMatchObject({ code: 'closed', certainty: 'not-sent' });
    // Enough time to connect, while the cancellation keeps the session from closing.
    await delay(50);
    farewell.open();
    await closed;
    await roundTrips(client);
    expect(echoPosts(server)).toBe(0);
  });

  it('accepts a call meanwhile, on a new connection', async () => {
    const { server, client } = await setUp();
    const closed = client.close();
    const call = client.callTool('echo', { message: 'x' });
    await closed;
    expect(await call).toEqual(said('x'));
    expect(runsOf(server, 'echo')).toHaveLength(1);
    expect(server.openedSessions()).toBe(2);
    expect(client.state.name).toBe('ready');
  });
});

it('a flood before the handshake is answered fails the connect at the limit', async () => {
  const data = 'x'.repeat(10_000);
  const flood: RpcMessage = { jsonrpc: '2.0', method: 'notifications/message', params: { data } };
  const server = await serve({
    answer: ({ method }) => {
      if (method === 'initialize') for (let n = 0; n < 50; n++) server.push(flood);
      return undefined;
    },
  });
  const limits = { maxEventBytes: 100_000 };
  const error = await failureOf(connect(server.url, { ...quick, limits }));
  expect(error).toMatchObject({ code: 'limit-exceeded' });
  await until(() => expect(server.openConnections()).toBe(0));
});

describe('a call that is refused for its own reasons', () => {
  it.each([
    ['404 and a JSON-RPC error that names the call', 404, undefined],
    ['400 and a database', 400, 'no connection to database'],
    ['400 and something else that is called a session', 400, 'Unknown chat session 42'],
  ])('with %s fails without the others', async (_how, status, body) => {
    const error = { code: -32601, message: 'no such tool' };
    const fault = {
      tool: 'echo',
      status,
      get body() {
        const call = server.requests.at(-1)?.json as RpcMessage | undefined;
        return body ?? JSON.stringify({ jsonrpc: '2.0', id: call?.id, error });
      },
    };
    const { server, client } = await setUp({ postFaults: [fault] });
    const states = statesOf(client);
    const running = client.callTool('slow', { ms: 50 });
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      status,
      certainty: 'refused',
    });
    expect(await running).toEqual(said('done'));
    expect(echoPosts(server)).toBe(1);
    expect(dialsOf(server)).toBe(1);
    expect(states).toEqual([]);
  });
});

it('a connection is not declared dead while its ping cannot leave', async () => {
  const dispatcher = closeLater(new Agent({ connections: 2 }));
  const done = latch();
  const { server, client } = await setUp(
    { holdPost: ({ params }) => (params?.['name'] === 'echo' ? done.opened : undefined) },
    { ...quick, dispatcher, heartbeat: { silenceMs: 40, timeoutMs: 40 } },
  );
  const states = statesOf(client);
  const call = client.callTool('echo', { message: 'x' });
  setTimeout(done.open, 400);
  expect(await call).toEqual(said('x'));
  expect(states).toEqual([]);
  expect(runsOf(server, 'echo')).toHaveLength(1);
});

describe('a known server', () => {
  it('that refuses the handshake now is dialled maxAttempts times', async () => {
    const retry = { ...quick.retry, maxAttempts: 3 };
    const { server, client } = await setUp({}, { retry });
    await client.callTool('echo', { message: 'refills the budget' });
    server.mischief.failOn = 'initialize';
    server.cut();
    await until(() => expect(client.state.name).not.toBe('ready'));
    const call = client.callTool('echo', { message: 'x' });
    expect(await failureOf(call)).toMatchObject({ code: 'server-error' });
    expect(client.state).toMatchObject({ name: 'resting', reason: { code: 'server-error' } });
    expect(dialsOf(server)).toBe(1 + 3);
  });

  const stream = { 'content-type': 'text/event-stream' };
  it.each([
    ['answers with 500', { status: 500 }],
    ['ends streams before they say anything', { status: 200, headers: stream }],
  ])('that %s for a while is dialled while a call waits', async (_how, getAnswer) => {
    const retry = { ...quick.retry, maxAttempts: 2 };
    const { server, client } = await setUp({}, { retry });
    server.mischief.getAnswer = getAnswer;
    server.cut();
    await until(() => expect(client.state.name).not.toBe('ready'));
    const call = client.callTool('echo', { message: 'x' });
    call.catch(() => {});
    await until(() => client.state.name === 'resting' || dialsOf(server) > 6);
    delete server.mischief.getAnswer;
    expect(await call).toEqual(said('x'));
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });
});
