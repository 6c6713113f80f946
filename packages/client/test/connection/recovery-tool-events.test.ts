import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startHttpFixture, type HttpFixture } from '../../../../test/support/http-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { ToolEventsChannel } from '../../src/channels/tool-events/channel.ts';
import type { ClientOptions, LongwireClient } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, quick, said, statesOf } from '../support/recovery.ts';

const { client: makeClient, closeLater } = atTheEndOfEachTest();

interface EventServer {
  server: HttpFixture;
  client: LongwireClient;
  /** The arguments of all calls that arrived. */
  calls: string[];
  /** How many streams were opened. */
  opened: () => number;
  /** Writes to the stream of the session that was opened last. */
  write: (text: string) => void;
  cut: () => void;
}

/** A tool-events server whose every call is answered by the test. */
async function setUp(
  answer: (id: string, response: ServerResponse, server: EventServer) => void,
  options: ClientOptions = quick,
): Promise<EventServer> {
  let opened = 0;
  let stream: ServerResponse | undefined;
  const calls: string[] = [];
  const fixture = closeLater(
    await startHttpFixture((request, response) => {
      const { tool, args } = (request.json ?? {}) as { tool?: string; args?: { id: string } };
      if (request.method === 'GET') {
        opened++;
        stream = response;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`event: endpoint\ndata: /messages?session_id=s${opened}\n\n`);
        const tools = [{ name: 'read', annotations: { readOnlyHint: true } }, { name: 'write' }];
        response.write(`event: tools\ndata: ${JSON.stringify(tools)}\n\n`);
      } else if (tool === undefined) {
        response.writeHead(422).end();
      } else {
        calls.push(args?.id ?? '');
        answer(args?.id ?? '', response, server);
      }
    }),
  );
  const client = makeClient(fixture.origin, options);
  const server: EventServer = {
    server: fixture,
    client,
    calls,
    opened: () => opened,
    write: (text) => stream?.write(text),
    cut: () => stream?.destroy(),
  };
  await client.connect();
  expect(client.state).toMatchObject({ transport: 'tool-events' });
  return server;
}

/** Answers in the body of the POST. */
const inBody = (id: string, response: ServerResponse): void => {
  response.writeHead(200).end(`event: result\ndata: ${JSON.stringify(id)}\n\n`);
};

describe('a tool-events session that is cut', () => {
  it('fails the unsafe call, which ran once, and resends the safe one', async () => {
    let isMute = true;
    const { client, calls, cut, opened } = await setUp((id, response, { write }) => {
      response.writeHead(202).end();
      if (!isMute) write(`event: result\ndata: ${JSON.stringify(id)}\n\n`);
    });
    await client.listTools();
    // One call at a time is in flight, because a result does not name its call.
    const unsafe = failureOf(client.callTool('write', { id: 'w' }));
    await until(() => expect(calls).toEqual(['w']));
    const waiting = client.callTool('write', { id: 'waits' });
    isMute = false;
    cut();
    expect(await unsafe).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(await waiting).toEqual(said('waits'));

    isMute = true;
    const safe = client.callTool('read', { id: 'r' });
    await until(() => expect(calls).toContain('r'));
    isMute = false;
    cut();
    expect(await safe).toEqual(said('r'));
    expect(calls).toEqual(['w', 'waits', 'r', 'r']);
    expect(opened()).toBe(3);
  });

  it('does not detect the transport again when it comes back', async () => {
    const { client, cut, opened, server } = await setUp(inBody);
    cut();
    await until(() => expect(client.state.name).not.toBe('ready'));
    expect(await client.callTool('write', { id: 'x' })).toEqual(said('x'));
    expect(opened()).toBe(2);
    const asked = server.requests.filter(
      ({ url, body }) => url !== '/mcp' && body.includes('initialize'),
    );
    expect(asked).toHaveLength(1);
  });
});

describe('a tool-events call that is refused', () => {
  it.each([
    ['429', 429, {}],
    ['503 with Retry-After', 503, { 'retry-after': '0' }],
  ])('with %s waits, and succeeds', async (_how, status, headers) => {
    const { client, calls, opened } = await setUp((id, response) => {
      if (calls.length < 3) response.writeHead(status, headers).end();
      else inBody(id, response);
    });
    expect(await client.callTool('write', { id: 'x' })).toEqual(said('x'));
    expect(calls).toEqual(['x', 'x', 'x']);
    expect(opened()).toBe(1);
  });

  it('with 500 fails at once, and is not resent', async () => {
    const { client, calls } = await setUp((id, response) => {
      if (id === 'bad') response.writeHead(500).end('the disk is full');
      else inBody(id, response);
    });
    await client.listTools();
    expect(await failureOf(client.callTool('read', { id: 'bad' }))).toMatchObject({
      code: 'http-status',
      status: 500,
      certainty: 'outcome-unknown',
    });
    expect(await client.callTool('write', { id: 'good' })).toEqual(said('good'));
    expect(calls).toEqual(['bad', 'good']);
  });

  it('because the session is lost is sent on the next one', async () => {
    const { client, calls, opened } = await setUp((id, response) => {
      if (opened() === 1) response.writeHead(404).end('no session');
      else inBody(id, response);
    });
    const ids = ['a', 'b', 'c'];
    const results = await Promise.all(ids.map((id) => client.callTool('write', { id })));
    expect(results).toEqual(ids.map(said));
    expect(opened()).toBe(2);
    expect(calls.slice(-3).toSorted()).toEqual(ids);
  });
});

describe('the heartbeat of a tool-events session', () => {
  /** Pings soon, and waits as long as a busy machine may need to answer. */
  const patient = { silenceMs: 50, timeoutMs: 5000 };
  /** Comments with this interval count as regular. */
  const slow = { silenceMs: 150, timeoutMs: 5000 };

  /** How often a session was pinged. */
  function countPings(): () => number {
    const sent = vi.spyOn(ToolEventsChannel.prototype, 'send');
    onTestFinished(() => sent.mockRestore());
    return () =>
      sent.mock.calls.filter(([message]) => 'method' in message && message.method === 'ping')
        .length;
  }

  /** Sends a comment after each of so many pings. */
  async function commentAfterPings(pings: () => number, comment: () => void, times: number) {
    for (let n = 0; n < times; n++) {
      const before = pings();
      await until(() => pings() > before);
      comment();
    }
  }

  it.each([0, 2])('trusts a server after %i comments', async (comments) => {
    let answerIt = (): void => {};
    const pings = countPings();
    const { client, opened, write, calls } = await setUp(
      (id, response) => {
        response.writeHead(200).flushHeaders();
        answerIt = () => response.end(`event: result\ndata: ${JSON.stringify(id)}\n\n`);
      },
      { ...quick, heartbeat: patient },
    );
    for (let n = 0; n < comments; n++) write(': ping\n\n');
    const states = statesOf(client);
    const settled = Promise.allSettled([client.callTool('write', { id: 'long' })]);
    await until(() => expect(calls).toEqual(['long']));
    // Each ping but the last was answered: none is sent before that.
    const before = pings();
    await until(() => pings() > before + 3);
    answerIt();
    expect(await settled).toEqual([{ status: 'fulfilled', value: said('long') }]);
    expect(states).toEqual([]);
    expect(opened()).toBe(1);
  });

  it('keeps a session whose comments continue', async () => {
    const pings = countPings();
    const { client, opened, write } = await setUp(inBody, { ...quick, heartbeat: slow });
    const states = statesOf(client);
    await commentAfterPings(pings, () => write(': ping\n\n'), 6);
    expect(opened()).toBe(1);
    expect(states).toEqual([]);
    expect(await client.callTool('write', { id: 'x' })).toEqual(said('x'));
    expect(opened()).toBe(1);
  });

  it('replaces a session whose comments have stopped', async () => {
    const pings = countPings();
    const heartbeat = { ...slow, timeoutMs: 300 };
    const { client, opened, write } = await setUp(inBody, { ...quick, heartbeat });
    const states = statesOf(client);
    await commentAfterPings(pings, () => write(': ping\n\n'), 4);
    await until(() => expect(opened()).toBe(2));
    expect(states[0]).toMatchObject({ name: 'reconnecting', reason: { code: 'connection-lost' } });
    expect(await client.callTool('write', { id: 'x' })).toEqual(said('x'));
  });
});
