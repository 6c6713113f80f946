import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { open, stream } from '../fixture.ts';
import type { Call, CallGate } from '../../src/index.ts';
import { MESSAGES_VERSION } from '../../src/cluster/node-messages.ts';
import { createSample } from '../sample-server.ts';
import { servingNodes, type ServedNode } from '../support/nodes.ts';

const VERSION = '2025-11-25';
let lastId = 0;
afterEach(() => {
  lastId = 0;
});

/** A response, of which the events are read one by one. */
class Streamed {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly #chunks: AsyncIterator<Buffer>;
  #text = '';

  constructor(response: Awaited<ReturnType<typeof request>>) {
    this.status = response.statusCode;
    this.headers = response.headers;
    this.#chunks = response.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    open.push(async () => response.body.destroy());
    response.body.on('error', () => {});
  }

  /** The next event with data; `undefined` at the end. */
  async next(): Promise<{ id: string | undefined; data: Record<string, unknown> } | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const event = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const data = /^data: (.+)$/m.exec(event)?.[1];
        if (data === undefined) continue;
        return { id: /^id: (.+)$/m.exec(event)?.[1], data: JSON.parse(data) as never };
      }
      const { value, done } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#text += String(value);
    }
  }

  /** The answer, however it comes; `undefined` where the response ends without one. */
  async answer(): Promise<Record<string, unknown> | undefined> {
    if (this.headers['content-type'] === 'text/event-stream') {
      let event = await this.next();
      while (event !== undefined && !('id' in event.data)) event = await this.next();
      return event?.data;
    }
    let text = this.#text;
    for (;;) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return JSON.parse(text) as never;
      text += String(value);
    }
  }
}

async function send(
  { url }: Pick<ServedNode, 'url'>,
  {
    session,
    body,
    method = 'POST',
    headers = {},
  }: {
    session?: string | undefined;
    body?: unknown;
    method?: 'POST' | 'GET' | 'DELETE';
    headers?: Record<string, string>;
  },
): Promise<Streamed> {
  const response = await request(url, {
    method,
    headers: {
      accept: 'application/json, text/event-stream',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(session !== undefined && {
        'mcp-session-id': session,
        'mcp-protocol-version': VERSION,
      }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return new Streamed(response);
}

async function opened(node: ServedNode): Promise<string> {
  const params = {
    protocolVersion: VERSION,
    capabilities: { roots: {} },
    clientInfo: { name: 'test', version: '0' },
  };
  const body = { jsonrpc: '2.0', id: 'init', method: 'initialize', params };
  const answer = await send(node, { body });
  expect(answer.status).toBe(200);
  await answer.answer();
  const session = String(answer.headers['mcp-session-id']);
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
  expect((await send(node, { session, body: initialized })).status).toBe(202);
  return session;
}

function call(name: string, args: object = {}, id: number | string = ++lastId): object {
  const params = { name, arguments: args, _meta: { progressToken: id } };
  return { jsonrpc: '2.0', id, method: 'tools/call', params };
}

function echo(message: string, id?: number): object {
  return call('echo', { message }, id);
}

const textOf = (answer: Record<string, unknown> | undefined): unknown =>
  (answer?.['result'] as { content?: { text?: string }[] } | undefined)?.content?.[0]?.text;

describe('a session of another node', () => {
  it('answers a batch, a repeated request, and a client that takes only JSON', async () => {
    const { nodes } = await servingNodes(['a', 'b']);
    const [a, b] = nodes as [ServedNode, ServedNode];
    const session = await opened(a);
    const batch = await send(b, { session, body: [echo('one', 1), echo('two', 2)] });
    const answers = [await batch.next(), await batch.next(), await batch.next()];
    expect(new Set(answers.map((one) => textOf(one?.data)))).toEqual(
      new Set(['one', 'two', undefined]),
    );
    const first = await send(b, { session, body: echo('three', 3) });
    expect(first.headers['content-type']).toBe('application/json');
    expect(textOf(await first.answer())).toBe('three');
    const again = await send(b, { session, body: echo('three', 3) });
    expect(textOf(await again.answer())).toBe('three');
    const accept = { accept: 'application/json' };
    const json = await send(b, { session, body: echo('four', 4), headers: accept });
    expect(textOf(await json.answer())).toBe('four');
  });

  it('ends the response to what is cancelled before its node knows that it runs', async () => {
    const { nodes } = await servingNodes(['a', 'b']);
    const [a, b] = nodes as [ServedNode, ServedNode];
    const session = await opened(a);
    for (const [requestId, node] of [a, b].entries()) {
      const cancelled = { method: 'notifications/cancelled', params: { requestId } };
      const body = [call('wait', {}, requestId), { jsonrpc: '2.0', ...cancelled }];
      const response = await send(node, { session, body });
      expect(response.status).toBe(200);
      expect(await response.next()).toBeUndefined();
    }
  });

  it('refuses what its owner refuses, as the owner does', async () => {
    const { nodes } = await servingNodes(['a', 'b'], { maxInFlight: 1 });
    const [a, b] = nodes as [ServedNode, ServedNode];
    const session = await opened(a);
    const waiting = await send(b, { session, body: call('wait') });
    expect(waiting.headers['content-type']).toBe('text/event-stream');
    const refused = await send(b, { session, body: echo('too many') });
    expect(refused.status).toBe(429);
    expect(await refused.answer()).toMatchObject({ id: 2, error: { message: /maxInFlight/ } });
  });

  it('is read on a stream that another node resumes', async () => {
    const { nodes } = await servingNodes(['a', 'b', 'c']);
    const [a, b, c] = nodes as [ServedNode, ServedNode, ServedNode];
    const session = await opened(a);
    const counting = await send(b, { session, body: call('count', { to: 2 }) });
    const first = await counting.next();
    expect(first?.data).toMatchObject({ params: { progress: 1 } });
    const resumed = await send(c, {
      session,
      method: 'GET',
      headers: { 'last-event-id': first?.id ?? '' },
    });
    expect((await resumed.next())?.data).toMatchObject({ params: { progress: 2 } });
    a.samples[0]?.release();
    expect(textOf(await resumed.answer())).toBe('2');
    expect(await resumed.next()).toBeUndefined();
    const over = await send(b, {
      session,
      method: 'GET',
      headers: { 'last-event-id': `${first?.id?.split('.')[0]}.99` },
    });
    expect(over.status).toBe(204);
  });

  it('ends where its client ends it, and is known nowhere then', async () => {
    const { nodes } = await servingNodes(['a', 'b']);
    const [a, b] = nodes as [ServedNode, ServedNode];
    const session = await opened(a);
    const main = await send(b, { session, method: 'GET' });
    expect((await send(b, { session, method: 'DELETE' })).status).toBe(200);
    expect(await main.next()).toBeUndefined();
    expect((await send(b, { session, body: echo('late') })).status).toBe(404);
    expect((await send(a, { session, body: echo('late') })).status).toBe(404);
  });

  it('of HTTP+SSE is resumed by its cursor and by its key on another node', async () => {
    const { nodes } = await servingNodes(['a', 'b', 'c']);
    const [a, b, c] = nodes as [ServedNode, ServedNode, ServedNode];
    const key = 'k'.repeat(22);
    const first = await stream(`${a.sseUrl}?resume=${key}`);
    const endpoint = await first.nextOf('endpoint');
    const sessionId = new URL(endpoint, a.sseUrl).searchParams.get('sessionId') ?? '';
    const post = async (node: ServedNode, body: object): Promise<number> => {
      const { statusCode, body: text } = await request(new URL(endpoint, node.sseUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      await text.dump();
      return statusCode;
    };
    const params = {
      protocolVersion: '2024-11-05',
      capabilities: {},
      clientInfo: { name: 'test', version: '0' },
    };
    expect(await post(b, { jsonrpc: '2.0', id: 0, method: 'initialize', params })).toBe(202);
    expect(JSON.parse(await first.nextOf('message'))).toMatchObject({ id: 0 });
    await first[Symbol.asyncDispose]();
    expect(await post(b, echo('missed', 1))).toBe(202);
    const second = await stream(b.sseUrl, { 'last-event-id': `${sessionId}.1` });
    expect(await second.nextOf('endpoint')).toBe(endpoint);
    expect(JSON.parse(await second.nextOf('message'))).toMatchObject({ id: 1 });
    expect(await post(c, echo('more', 2))).toBe(202);
    expect(JSON.parse(await second.nextOf('message'))).toMatchObject({ id: 2 });
    const third = await stream(`${c.sseUrl}?resume=${key}`);
    expect(await third.nextOf('endpoint')).toBe(endpoint);
    for (const id of [0, 1, 2]) {
      expect(JSON.parse(await third.nextOf('message'))).toMatchObject({ id });
    }
    expect(await post(b, echo('more', 2))).toBe(202);
    expect(JSON.parse(await third.nextOf('message'))).toMatchObject({ id: 2 });
  });

  it('says so where a node of another version is asked', async () => {
    const { cluster, nodes } = await servingNodes(['a', 'b']);
    const [a] = nodes as [ServedNode, ServedNode];
    const session = await opened(a);
    const message = { kind: 'post', v: MESSAGES_VERSION + 1, session, uid: 'x' };
    await cluster.nodes.get('b')?.send('a', message);
    await expect
      .poll(() => cluster.sent.at(-1))
      .toMatchObject({ to: 'b', kind: 'refused', uid: 'x', refusal: { status: 503 } });
  });
});

it.each(['post', 'attach', 'tool-call', 'tool-list', 'end'])(
  'a message of kind %s that says nothing else is answered, and hurts nobody',
  async (kind) => {
    const { cluster, nodes } = await servingNodes(['a', 'b']);
    const [a] = nodes as [ServedNode, ServedNode];
    const session = await opened(a);
    await cluster.nodes
      .get('b')
      ?.send('a', { kind, v: MESSAGES_VERSION, session, uid: 'x' } as never);
    await expect.poll(() => cluster.sent.at(-1)).toMatchObject({ to: 'b', uid: 'x' });
    expect(textOf(await (await send(a, { session, body: echo('on') })).answer())).toBe('on');
  },
);

describe('a session whose owner dies', () => {
  it('goes on at the node that its client reaches, with what was answered before', async () => {
    const { cluster, nodes } = await servingNodes(['a', 'b', 'c']);
    const [a, b, c] = nodes as [ServedNode, ServedNode, ServedNode];
    const session = await opened(a);
    expect(textOf(await (await send(b, { session, body: echo('one', 1) })).answer())).toBe('one');
    cluster.kill('a');
    expect(textOf(await (await send(b, { session, body: echo('two', 2) })).answer())).toBe('two');
    expect(textOf(await (await send(c, { session, body: echo('one', 1) })).answer())).toBe('one');
    expect(b.samples.length + c.samples.length).toBe(1);
  });

  it('answers at once what ran, without running it again', async () => {
    const { cluster, nodes } = await servingNodes(['a', 'b']);
    const [a, b] = nodes as [ServedNode, ServedNode];
    const session = await opened(a);
    const waiting = await send(b, { session, body: call('wait', {}, 7) });
    await a.samples[0]?.waiting;
    cluster.kill('a');
    expect((await waiting.next())?.data).toMatchObject({
      id: 7,
      error: { data: { certainty: 'outcome-unknown' } },
    });
    expect(await waiting.next()).toBeUndefined();
    expect(textOf(await (await send(b, { session, body: echo('on', 8) })).answer())).toBe('on');
  });

  it('is taken over with the credentials of the request that met it last', async () => {
    const seen: unknown[] = [];
    const { cluster, nodes } = await servingNodes(['a', 'b'], {
      create: ({ headers }) => {
        seen.push(headers.authorization);
        return createSample().server;
      },
    });
    const [a, b] = nodes as [ServedNode, ServedNode];
    const session = await opened(a);
    for (const authorization of ['Bearer old', 'Bearer new']) {
      const sent = { session, body: echo('on'), headers: { authorization } };
      expect(textOf(await (await send(b, sent)).answer())).toBe('on');
    }
    const main = await send(b, { session, method: 'GET' });
    expect(main.status).toBe(200);
    // The stream goes on here, though its client asks for nothing.
    cluster.kill('a');
    await expect.poll(() => cluster.kept.get(session)?.owner).toBe('b');
    const next = { session, body: echo('next'), headers: { authorization: 'Bearer next' } };
    expect(textOf(await (await send(b, next)).answer())).toBe('next');
    expect(seen).toEqual([undefined, 'Bearer new']);
  });

  it('does not say that nothing ran of what had begun, where nobody knows the session', async () => {
    const { cluster, nodes } = await servingNodes(['a', 'b']);
    const [a, b] = nodes as [ServedNode, ServedNode];
    const session = await opened(a);
    const waiting = send(b, { session, body: call('wait', {}, 7) });
    await a.samples[0]?.waiting;
    cluster.kept.delete(session);
    cluster.nodes.get('a')?.joining.handlers.lost(session);
    const response = await waiting;
    expect(response.status).toBe(200);
    expect(await response.answer()).toMatchObject({
      id: 7,
      error: { data: { certainty: 'outcome-unknown' } },
    });
    const next = await send(b, { session, body: echo('on', 8) });
    expect(next.status).toBe(404);
  });

  it('keeps its streams of other nodes open', async () => {
    const { cluster, nodes } = await servingNodes(['a', 'b', 'c']);
    const [a, b, c] = nodes as [ServedNode, ServedNode, ServedNode];
    const session = await opened(a);
    const main = await send(b, { session, method: 'GET' });
    cluster.kill('a');
    expect(textOf(await (await send(c, { session, body: echo('one', 1) })).answer())).toBe('one');
    const grown = await send(c, { session, body: call('grow') });
    expect(textOf(await grown.answer())).toBe('grown');
    expect((await main.next())?.data).toMatchObject({
      method: 'notifications/tools/list_changed',
    });
  });
});

it('a reader asks for what was published while its node could not hear', async () => {
  const { cluster, nodes } = await servingNodes(['a', 'b']);
  const [a, b] = nodes as [ServedNode, ServedNode];
  const session = await opened(a);
  const main = await send(b, { session, method: 'GET' });
  const node = cluster.nodes.get('b');
  const counting = await send(b, { session, body: call('count', { to: 2 }, 5) });
  expect((await counting.next())?.data).toMatchObject({ params: { progress: 1 } });
  if (node !== undefined) node.isDeaf = true;
  a.samples[0]?.release();
  expect(textOf(await (await send(a, { session, body: call('grow', {}, 6) })).answer())).toBe(
    'grown',
  );
  await expect.poll(() => cluster.kept.get(session)?.running.size).toBe(0);
  node?.hearAgain();
  expect((await counting.next())?.data).toMatchObject({ params: { progress: 2 } });
  expect(textOf(await counting.answer())).toBe('2');
  expect(await counting.next()).toBeUndefined();
  const seen: string[] = [];
  while (!seen.includes('notifications/tools/list_changed')) {
    seen.push(String((await main.next())?.data['method']));
  }
  expect(new Set(seen).size).toBe(seen.length);
});

describe('a session of the tool-events transport', () => {
  it('is called and told of its tools through another node', async () => {
    const { nodes, cluster } = await servingNodes(['a', 'b'], { toolEvents: true });
    const [a, b] = nodes as [ServedNode, ServedNode];
    const key = 'k'.repeat(22);
    const first = await stream(`${a.sseUrl}?resume=${key}`);
    const endpoint = new URL(await first.nextOf('endpoint'), b.sseUrl);
    const names = (text: string): string[] =>
      (JSON.parse(text) as { name: string }[]).map(({ name }) => name);
    expect(names(await first.nextOf('tools'))).toContain('echo');
    const call = async (tool: string, args: object): Promise<string> => {
      const { body } = await request(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ session_id: endpoint.searchParams.get('session_id'), tool, args }),
      });
      return body.text();
    };
    expect(await call('echo', { message: 'through b' })).toContain('through b');
    expect(await call('missing', {})).toContain('event: error');
    await first[Symbol.asyncDispose]();
    const second = await stream(`${b.sseUrl}?resume=${key}`);
    expect(names(await second.nextOf('tools'))).not.toContain('grown');
    expect(await call('grow', {})).toContain('grown');
    expect(names(await second.nextOf('tools'))).toContain('grown');
    const begun = (): number => cluster.sent.filter(({ kind }) => kind === 'tool-begun').length;
    const before = begun();
    const counting = call('count', { to: 2 });
    await expect.poll(begun).toBe(before + 1);
    // No message is missing that would answer it.
    cluster.nodes.get('b')?.hearAgain();
    a.samples[0]?.release();
    expect(await counting).toContain('event: result');
    const waiting = call('wait', {});
    await a.samples[0]?.waiting;
    cluster.kill('a');
    expect(await waiting).toContain('outcome-unknown');
    expect(await call('echo', { message: 'at b' })).toContain('at b');
  });
});

/** Holds every call of `echo` until it is let go. */
function held(): { gates: CallGate[]; asked: Promise<void>; letGo: () => void } {
  let tell = (): void => {};
  let letGo = (): void => {};
  const asked = new Promise<void>((resolve) => (tell = resolve));
  const free = new Promise<void>((resolve) => (letGo = resolve));
  const admit = async ({ target }: Call): Promise<undefined> => {
    if (target !== 'echo') return;
    tell();
    await free;
  };
  return { gates: [{ admit }], asked, letGo: () => letGo() };
}

it('a request that is asked for again before it runs is answered, and runs once', async () => {
  const { gates, asked, letGo } = held();
  const { cluster, nodes } = await servingNodes(['a', 'b'], { gates });
  const [a, b] = nodes as [ServedNode, ServedNode];
  const session = await opened(a);
  const echoing = send(b, { session, body: echo('once', 1) });
  await asked;
  cluster.nodes.get('b')?.hearAgain();
  const posts = (): number => cluster.sent.filter(({ kind }) => kind === 'post').length;
  await expect.poll(posts).toBe(2);
  letGo();
  expect(textOf(await (await echoing).answer())).toBe('once');
  expect(cluster.kept.get(session)?.answered.length).toBe(2);
});

it('what another node is answered waits while the store is away', async () => {
  const { gates, asked, letGo } = held();
  const { cluster, nodes } = await servingNodes(['a', 'b'], { gates });
  const [a, b] = nodes as [ServedNode, ServedNode];
  const session = await opened(a);
  const echoing = send(b, { session, body: echo('refused', 1) });
  await asked;
  cluster.isAway = true;
  expect((await send(b, { session, body: echo('not sent', 2) })).status).toBe(503);
  letGo();
  // What was to be kept before it runs, and what its node was to be told of that.
  await expect.poll(() => cluster.refused).toBeGreaterThan(1);
  cluster.isAway = false;
  expect((await echoing).status).toBe(503);
  expect(textOf(await (await send(b, { session, body: echo('now', 3) })).answer())).toBe('now');
});

it('a stream ends, for its client to come back, where what it missed cannot be read', async () => {
  const { cluster, nodes } = await servingNodes(['a', 'b']);
  const [a, b] = nodes as [ServedNode, ServedNode];
  const session = await opened(a);
  const counting = await send(b, { session, body: call('count', { to: 2 }, 5) });
  const first = await counting.next();
  cluster.events.readAfter = () => {
    throw new Error('it cannot be read');
  };
  const headers = { 'last-event-id': String(first?.id) };
  const again = await send(b, { session, method: 'GET', headers });
  expect(await again.next()).toBeUndefined();
  a.samples[0]?.release();
});

it('a node that is back before others say that it is gone reads on', async () => {
  const { cluster, nodes } = await servingNodes(['a', 'b']);
  const [a, b] = nodes as [ServedNode, ServedNode];
  const session = await opened(a);
  const main = await send(b, { session, method: 'GET' });
  cluster.nodes.get('a')?.joining.handlers.gone('b');
  const attached = (): number => cluster.sent.filter(({ kind }) => kind === 'attach').length;
  await expect.poll(attached).toBe(2);
  expect(textOf(await (await send(b, { session, body: call('grow') })).answer())).toBe('grown');
  expect((await main.next())?.data).toMatchObject({ method: 'notifications/tools/list_changed' });
});
