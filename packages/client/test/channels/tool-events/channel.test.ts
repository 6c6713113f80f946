import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { startHttpFixture, type HttpFixture } from '../../../../../test/support/http-fixture.ts';
import { startToolEventsServer } from '../../../../../test/support/tool-events-servers.ts';
import { connect, type LongwireClient, type LongwireError } from '../../../src/index.ts';
import { failureOf } from '../../support/failure-of.ts';
import { until } from '../../../../../test/support/until.ts';

type Answer = (call: { args: { id: string } }, response: ServerResponse, session: Session) => void;

interface Session {
  /** Sends an event on the stream of the session that was opened last. */
  send: (event: string, data: unknown) => void;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A tool-events server whose every call is answered by the test. */
async function setUp(answer: Answer): Promise<{
  client: LongwireClient;
  server: HttpFixture;
  session: Session;
  opened: () => number;
}> {
  let stream: ServerResponse | undefined;
  let opened = 0;
  const session: Session = {
    send: (event, data) => stream?.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
  };
  const server = await startHttpFixture((request, response) => {
    const { tool } = (request.json ?? {}) as { tool?: string };
    if (request.method === 'GET') {
      opened++;
      stream = response;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: endpoint\ndata: /messages?session_id=s${opened}\n\n`);
      response.write('event: tools\ndata: [{"name":"work"}]\n\n');
    } else if (tool === undefined) {
      response.writeHead(422).end();
    } else {
      answer(request.json as { args: { id: string } }, response, session);
    }
  });
  closers.push(() => server.close());
  const client = await connect(server.origin);
  closers.push(() => client.close());
  expect(client.state).toMatchObject({ transport: 'tool-events' });
  return { client, server, session, opened: () => opened };
}

const work = (client: LongwireClient, id: string, signal?: AbortSignal) =>
  client.callTool('work', { id }, signal === undefined ? {} : { signal });

describe('no result reaches the wrong call', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['is answered 504', (response) => response.writeHead(504).end()],
    ['breaks off', (response) => response.destroy()],
    ['is answered 200 without a result', (response) => response.writeHead(200).end('{"ok":true}')],
  ])('when the first call’s POST %s and its result comes late', async (_how, spoil) => {
    const { client, session, opened } = await setUp((call, response) => {
      if (call.args.id === 'A') spoil(response);
      else response.writeHead(202).end(() => session.send('result', call.args.id));
    });
    const a = failureOf(work(client, 'A'));
    expect(await a).toMatchObject({ certainty: 'outcome-unknown' });
    // The next one need not wait for the end of the session to be told apart from the last.
    expect(await work(client, 'B')).toEqual({ content: [{ type: 'text', text: 'B' }] });
    expect(opened()).toBe(2);
  });

  it('when a call is cancelled while its result may come on the stream', async () => {
    const taken: string[] = [];
    const { client } = await setUp((call, response, session) => {
      taken.push(call.args.id);
      response.writeHead(202).end();
      if (call.args.id !== 'A') session.send('result', call.args.id);
    });
    const controller = new AbortController();
    const a = failureOf(work(client, 'A', controller.signal));
    await until(() => expect(taken).toEqual(['A']));
    controller.abort();
    expect(await a).toMatchObject({ code: 'aborted' });
    await until(() => expect(client.state.name).toBe('reconnecting'));
    expect(await work(client, 'B')).toEqual({ content: [{ type: 'text', text: 'B' }] });
  });

  it('when an event comes that no call waits for', async () => {
    const { client, session } = await setUp((call, response) => {
      response.writeHead(202).end();
      session.send('result', call.args.id);
    });
    const errors: LongwireError[] = [];
    client.on('error', (error) => errors.push(error));
    expect(await work(client, 'A')).toEqual({ content: [{ type: 'text', text: 'A' }] });
    session.send('result', 'stray');
    await until(() => expect(errors).toHaveLength(1));
    expect(await work(client, 'B')).toEqual({ content: [{ type: 'text', text: 'B' }] });
  });
});

describe('a session that answers in bodies', () => {
  it('runs calls in parallel, and cancels one without the others', async () => {
    const held = new Map<string, ServerResponse>();
    const answer = (id: string): void => {
      held.get(id)?.write(`event: result\ndata: ${JSON.stringify(id)}\n\n`);
    };
    const { client } = await setUp((call, response) => {
      held.set(call.args.id, response);
      if (call.args.id === 'first') {
        response.writeHead(200);
        answer('first');
      }
    });
    await work(client, 'first');
    const controller = new AbortController();
    const aborted = failureOf(work(client, 'aborted', controller.signal));
    const others = ['a', 'b'].map((id) => work(client, id));
    await until(() => expect(held.size).toBe(4));
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'aborted' });
    for (const id of ['b', 'a']) {
      held.get(id)?.writeHead(200);
      answer(id);
    }
    expect(await Promise.all(others)).toMatchObject([
      { content: [{ text: 'a' }] },
      { content: [{ text: 'b' }] },
    ]);
    expect(client.state.name).toBe('ready');
  });
});

/** Arguments that JSON cannot say. */
function cyclic(): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  args['message'] = args;
  return args;
}

describe('a tool-events channel', () => {
  it('refuses arguments that are no JSON, without an effect on other calls', async () => {
    await using server = await startToolEventsServer({ kind: 'answers-on-stream' });
    const client = await connect(server.url, { headers: { api_key: server.apiKey } });
    const bad = failureOf(client.callTool('echo', cyclic()));
    const good = client.callTool('echo', { message: 'fine' });
    expect(await bad).toMatchObject({ code: 'invalid-arguments', certainty: 'not-sent' });
    expect(await good).toMatchObject({ content: [{ text: 'fine' }] });
    await client.close();
  });

  it('updates the list of tools, from the first chunk on', async () => {
    const { client, session } = await setUp(() => {});
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    expect(await client.listTools()).toMatchObject([{ name: 'work' }]);
    session.send('tools', [{ name: 'other', input_schema: { type: 'object', x: 1 } }]);
    await until(() => expect(changes).toBe(1));
    expect(await client.listTools()).toEqual([
      { name: 'other', inputSchema: { type: 'object', x: 1 } },
    ]);
  });

  it('turns every other event into a notification', async () => {
    const { client, session } = await setUp(() => {});
    const seen: unknown[] = [];
    client.on('notification', ({ params }) => seen.push(params));
    session.send('news', { headline: 'rain' });
    await until(() => expect(seen).toEqual([{ event: 'news', data: { headline: 'rain' } }]));
  });

  it('accepts results and errors of any shape', async () => {
    await using server = await startToolEventsServer({ kind: 'answers-in-body' });
    const client = await connect(server.url, { headers: { api_key: server.apiKey } });
    expect(await client.callTool('add', { a: 1, b: 2 })).toEqual({
      content: [{ type: 'text', text: '{"sum":3}' }],
      structuredContent: { sum: 3 },
    });
    expect(await client.callTool('content')).toEqual({
      content: [{ type: 'text', text: 'from content' }],
    });
    expect(await client.callTool('fail')).toMatchObject({ isError: true });
    expect(await client.callTool('fail_silently')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('no message') as unknown }],
    });
    expect(await failureOf(client.readResource('a:b'))).toMatchObject({
      code: 'server-error',
      number: -32601,
    });
    await client.close();
  });
});
