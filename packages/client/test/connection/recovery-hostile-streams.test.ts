import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../../../test/support/http-answer.ts';
import { startHttpFixture, type RecordedRequest } from '../../../../test/support/http-fixture.ts';
import type { Mischief } from '../../../../test/support/hostile-sse.ts';
import { type RpcMessage, StrictMcpSession } from '../../../../test/support/strict-mcp-session.ts';
import { startToolEventsServer } from '../../../../test/support/tool-events-servers.ts';
import { until } from '../../../../test/support/until.ts';
import type { LongwireClient } from '../../src/index.ts';
import { atTheEndOfEachTest, dialsOf, quick, runsOf, said, statesOf } from '../support/recovery.ts';

const { setUp, client: makeClient, closeLater } = atTheEndOfEachTest();

/** The Last-Event-ID of every GET. */
const lastEventIds = ({ requests }: { requests: RecordedRequest[] }): unknown[] =>
  requests.filter(({ method }) => method === 'GET').map(({ headers }) => headers['last-event-id']);

it('a burst of comments at the start of a tool-events stream does not promise more', async () => {
  const server = closeLater(await startToolEventsServer({ kind: 'answers-on-stream' }));
  const client = makeClient(server.url, {
    ...quick,
    headers: { api_key: server.apiKey },
    heartbeat: { silenceMs: 50, timeoutMs: 50 },
  });
  await client.connect();
  const states = statesOf(client);
  server.write(': a\n\n');
  await delay(10);
  server.write(': b\n\n: c\n\n: d\n\n');
  // Quiet for many times the intervals between them, and the heartbeat.
  await delay(500);
  expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
  expect(states).toEqual([]);
});

describe('a server that does not accept Last-Event-ID', () => {
  const stream = { 'content-type': 'text/event-stream' };
  it.each([
    ['answers 204', { status: 204 }],
    ['answers 500', { status: 500 }],
    ['ends the stream at once', { status: 200, headers: stream }],
  ])('and %s is dialled without it, and the safe call succeeds', async (_how, resumeAnswer) => {
    const { server, client } = await setUp({ eventIds: true, hangOnCall: true, resumeAnswer });
    const call = client.callTool('echo', { message: 'x' }, { idempotent: true });
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
    server.mischief.hangOnCall = false;
    server.cut();
    expect(await call).toEqual(said('x'));
    const [first, second, ...rest] = lastEventIds(server);
    expect([first, second, rest.pop()]).toEqual([undefined, '1', undefined]);
    expect(rest, 'none is without it but the last').toEqual(rest.map(() => '1'));
    expect(server.openedSessions()).toBe(2);
  });
});

interface NumberingServer {
  requests: RecordedRequest[];
  client: LongwireClient;
  /** The data of the notifications that reached the client. */
  received: unknown[];
  notify: (data: string) => void;
  cut: () => void;
  /** How many more of the resumed streams end after their `endpoint` event. */
  endsResumed: number;
}

/** A server with one session, which numbers all events, `endpoint` included. */
async function setUpNumbering({ replaysAll = false } = {}): Promise<NumberingServer> {
  const log: { id: number; data: string }[] = [];
  let stream: ServerResponse | undefined;
  let lastId = 0;
  const write = (id: number, event: string, data: string): unknown =>
    stream?.write(`id: ${id}\nevent: ${event}\ndata: ${data}\n\n`);
  const send = (message: RpcMessage): void => {
    const event = { id: ++lastId, data: JSON.stringify(message) };
    log.push(event);
    write(event.id, 'message', event.data);
  };
  const mcp = new StrictMcpSession({ send });
  const fixture = closeLater(
    await startHttpFixture(({ method, headers, json }, response) => {
      if (method !== 'GET') {
        response.writeHead(202).end('', () => mcp.receive(json as RpcMessage));
        return;
      }
      const after = headers['last-event-id'];
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      write(++lastId, 'endpoint', '/messages?session=only');
      if (after === undefined) return;
      if (server.endsResumed-- > 0) {
        response.end();
        return;
      }
      const missed = log.filter(({ id }) => replaysAll || id > Number(after));
      for (const { id, data } of missed) write(id, 'message', data);
    }),
  );
  const client = makeClient(`${fixture.origin}/sse`);
  const server: NumberingServer = {
    requests: fixture.requests,
    client,
    received: [],
    notify: (data) =>
      send({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } }),
    cut: () => {
      stream?.destroy();
      stream = undefined;
    },
    endsResumed: 0,
  };
  client.on('notification', ({ params }) => server.received.push(params?.['data']));
  await client.connect();
  return server;
}

describe('a stream whose endpoint event has an id', () => {
  it('delivers once the events that a replay repeats', async () => {
    const { client, received, notify, cut } = await setUpNumbering({ replaysAll: true });
    notify('one');
    await until(() => expect(received).toEqual(['one']));
    cut();
    notify('two');
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    await until(() => expect(received).toContain('two'));
    cut();
    notify('three');
    await until(() => expect(received).toContain('three'));
    expect(received).toEqual(['one', 'two', 'three']);
    expect(client.stats().droppedAnswers).toBe(0);
  });

  it('keeps its position when it is cut again right after that event', async () => {
    const server = await setUpNumbering();
    const { received, notify, cut } = server;
    notify('one');
    await until(() => expect(received).toEqual(['one']));
    server.endsResumed = 1;
    cut();
    notify('two');
    await until(() => expect(received).toEqual(['one', 'two']));
    // 1 is the endpoint, 2 the answer to the handshake.
    expect(lastEventIds(server)).toEqual([undefined, '3', '3']);
  });
});

it('the answer to a call whose POST outlives its stream is awaited on the resumed one', async () => {
  let finish!: () => void;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const { server, client } = await setUp({
    eventIds: true,
    holdPost: ({ method }) => (method === 'tools/call' ? done : undefined),
  });
  const call = client.callTool('echo', { message: 'x' });
  call.catch(() => {});
  await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
  server.cut();
  await until(() => expect(dialsOf(server)).toBe(2));
  await until(() => expect(client.state).toMatchObject({ name: 'ready', resumed: true }));
  // By now the POST itself is aborted: after the cut it has one second.
  await delay(1200);
  finish();
  expect(await call).toEqual(said('x'));
  expect(runsOf(server, 'echo')).toHaveLength(1);
  expect(server.openedSessions()).toBe(1);
});

it('a call that is refused once the session cannot be resumed is sent again', async () => {
  let refuse!: (answer: HttpAnswer) => void;
  const refusal = new Promise<HttpAnswer>((resolve) => (refuse = resolve));
  const mischief: Mischief = {
    eventIds: true,
    resumeAnswer: { status: 400 },
    holdPost: ({ method }) => (method === 'tools/call' ? refusal : undefined),
  };
  const { server, client } = await setUp(mischief);
  const call = client.callTool('echo', { message: 'x' });
  await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
  server.cut();
  await until(() => expect(lastEventIds(server)).toHaveLength(2));
  // The dial has failed by now.
  await delay(100);
  delete mischief.holdPost;
  refuse({ status: 503 });
  expect(await call).toEqual(said('x'));
  expect(server.openedSessions()).toBe(2);
});
