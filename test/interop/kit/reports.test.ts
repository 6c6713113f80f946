import { Agent, request as send } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countOpenHandles, type OpenHandles } from '../../support/open-handles.ts';
import { openStream, type RawEvents } from './support/raw-events.ts';
import { serveKit, type KitServing } from './support/serve-kit.ts';

/**
 * What people have reported of MCP servers over HTTP, each tried against the kit. A client is played by
 * bare requests, so that the wire is what is looked at.
 */
let kit: KitServing;
let agent: Agent;
let before: OpenHandles;
beforeAll(async () => {
  before = await countOpenHandles();
  kit = await serveKit();
  agent = new Agent();
});
afterAll(async () => {
  await agent.close();
  await kit[Symbol.asyncDispose]();
  await before.expectNoneLeft();
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The one JSON-RPC message of the answer, as JSON or as an event. */
  message?: { id?: unknown; result?: Record<string, unknown>; error?: { code: number } };
}

type Headers = Record<string, string>;
const BOTH = 'application/json, text/event-stream';
const JSON_TYPE = { 'content-type': 'application/json' };

async function ask(method: string, url: string, headers: Headers, body?: unknown): Promise<Answer> {
  const answer = await send(url, {
    dispatcher: agent,
    method: method as 'POST',
    headers,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  const { statusCode: status } = answer;
  const isEvents = String(answer.headers['content-type']).startsWith('text/event-stream');
  const data = isEvents ? /^data: (\{.*\})$/m.exec(text)?.[1] : text;
  const found: Answer = { status, headers: answer.headers, text };
  if (data?.startsWith('{') === true)
    found.message = JSON.parse(data) as NonNullable<Answer['message']>;
  return found;
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'reported', version: '0' },
  },
};
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };

/** Opens a session, and returns the headers of its requests. */
async function openSession(accept = BOTH): Promise<Headers> {
  const { headers } = await ask('POST', kit.url, { ...JSON_TYPE, accept }, INITIALIZE);
  const session = { ...JSON_TYPE, accept, 'mcp-session-id': String(headers['mcp-session-id']) };
  await ask('POST', kit.url, session, INITIALIZED);
  return session;
}

describe('sessions', () => {
  test('a session that the server does not know is 404, so that the client makes a new one', async () => {
    const session = { ...(await openSession()), 'mcp-session-id': 'gone-since-the-restart' };
    for (const method of ['POST', 'GET', 'DELETE']) {
      const body = method === 'POST' ? LIST : undefined;
      const { status } = await ask(method, kit.url, session, body);
      expect([method, status]).toEqual([method, 404]);
    }
  });

  test('a request without the id of a session is 400, not 404 and not a new session', async () => {
    const headers = { ...JSON_TYPE, accept: BOTH, 'mcp-protocol-version': '2025-06-18' };
    const { status, message } = await ask('POST', kit.url, headers, LIST);
    expect(status).toBe(400);
    expect(message?.error).toBeDefined();
  });

  test('initialize with the id of an old session opens a new one', async () => {
    const headers = { ...JSON_TYPE, accept: BOTH, 'mcp-session-id': 'gone-since-the-restart' };
    const { status, headers: answered } = await ask('POST', kit.url, headers, INITIALIZE);
    expect([200, 404]).toContain(status);
    if (status === 200) expect(answered['mcp-session-id']).not.toBe('gone-since-the-restart');
  });

  test('DELETE ends a session, and a second one is 404', async () => {
    const session = await openSession();
    expect((await ask('DELETE', kit.url, session)).status).toBeLessThan(300);
    expect((await ask('DELETE', kit.url, session)).status).toBe(404);
    expect((await ask('POST', kit.url, session, LIST)).status).toBe(404);
  });

  test('a session initialized twice is still there', async () => {
    const session = await openSession();
    const again = await ask('POST', kit.url, session, { ...INITIALIZE, id: 7 });
    expect(again.status).toBeLessThan(500);
    expect((await ask('POST', kit.url, session, LIST)).status).toBe(200);
  });
});

describe('the stream for what the server sends unasked', () => {
  test('a second GET is not 409: the first ends, and the second is the stream', async () => {
    const session = await openSession();
    const first = await openStream(kit.url, session);
    const second = await openStream(kit.url, session);
    expect([first.status, second.status]).toEqual([200, 200]);
    await first.ended;
    const call = { name: 'grow', arguments: {} };
    await ask('POST', kit.url, session, { ...LIST, method: 'tools/call', params: call });
    await hears(second, 'notifications/tools/list_changed');
    await second.close();
  });

  test.for(['nonsense', '999999', 'a'.repeat(4000), '-1', '0'])(
    'an unknown Last-Event-ID is no error: %#',
    async (id) => {
      const stream = await openStream(kit.url, { ...(await openSession()), 'last-event-id': id });
      expect(stream.status).toBe(200);
      await stream.close();
      const sse = await openStream(kit.sseUrl, { 'last-event-id': id });
      expect(sse.status).toBe(200);
      await sse.close();
    },
  );

  test('headers are flushed before there is anything to say', async () => {
    const stream = await openStream(kit.url, await openSession());
    expect(stream.headers['content-type']).toMatch(/^text\/event-stream/);
    expect(stream.headers['x-accel-buffering']).toBe('no');
    expect(stream.headers['cache-control']).toMatch(/no-(cache|store)/);
    await stream.close();
  });
});

describe('headers', () => {
  test.for([
    BOTH,
    'text/event-stream, application/json',
    'application/json,text/event-stream;q=0.9',
    '*/*',
    'application/*, text/*',
    'APPLICATION/JSON, TEXT/EVENT-STREAM',
    'application/json; charset=utf-8, text/event-stream',
  ])('Accept: %s', async (accept) => {
    const answer = await ask('POST', kit.url, await openSession(accept), LIST);
    expect(answer.status).toBe(200);
    expect(answer.message?.result).toMatchObject({ tools: expect.any(Array) as unknown });
  });

  test('a client that takes JSON alone gets JSON or 406, and no stream', async () => {
    const headers = { ...JSON_TYPE, accept: 'application/json' };
    const { status, headers: answered } = await ask('POST', kit.url, headers, INITIALIZE);
    expect([200, 406]).toContain(status);
    expect(answered['content-type']).toMatch(/^application\/json/);
  });

  test('without the header of the version, 2025-03-26 is spoken', async () => {
    const answer = await ask('POST', kit.url, await openSession(), LIST);
    expect(answer.message?.result).toMatchObject({ tools: expect.any(Array) as unknown });
  });

  test('a version that nobody speaks is 400', async () => {
    const headers = { ...(await openSession()), 'mcp-protocol-version': '1999-01-01' };
    expect((await ask('POST', kit.url, headers, LIST)).status).toBe(400);
  });

  test.for([
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'Application/JSON',
  ])('Content-Type: %s', async (type) => {
    const headers = { ...(await openSession()), 'content-type': type };
    expect((await ask('POST', kit.url, headers, LIST)).status).toBe(200);
  });

  test('202 has no body, nor a type of one', async () => {
    const answer = await ask('POST', kit.url, await openSession(), INITIALIZED);
    expect(answer).toMatchObject({ status: 202, text: '' });
    expect(answer.headers['content-type']).toBeUndefined();
  });
});

describe('routes', () => {
  test('a slash at the end is the same endpoint, or not found; it is no redirect that drops the body', async () => {
    const { status } = await ask('POST', `${kit.url}/`, { ...JSON_TYPE, accept: BOTH }, INITIALIZE);
    expect([200, 404]).toContain(status);
  });

  test.for(['/mcp', '/sse', '/messages'])(
    'HEAD, PUT and PATCH of %s are 405 and name what is there',
    async (path) => {
      for (const method of ['HEAD', 'PUT', 'PATCH']) {
        const { status, headers } = await ask(method, kit.origin + path, {});
        expect([method, status]).toEqual([method, 405]);
        expect(headers['allow']).toMatch(/POST/);
      }
    },
  );

  test('GET without a session is no stream that hangs', async () => {
    const { status } = await ask('GET', kit.url, { accept: 'text/event-stream' });
    expect([400, 404, 405]).toContain(status);
  });

  test('a Streamable HTTP client that was given the SSE address learns where to go', async () => {
    const { status } = await ask('POST', kit.sseUrl, { ...JSON_TYPE, accept: BOTH }, INITIALIZE);
    // 400, 404 and 405 are what clients take as the sign to fall back to SSE.
    expect([400, 404, 405]).toContain(status);
  });
});

describe('bodies', () => {
  test('a batch of 2025-03-26 is answered, or refused as one; it is not half done', async () => {
    const batch = [LIST, { ...LIST, id: 3, method: 'ping' }];
    const answer = await ask('POST', kit.url, await openSession(), batch);
    if (answer.status !== 200) {
      expect(answer.status).toBe(400);
      expect(answer.message?.error?.code).toBe(-32600);
    } else {
      expect(answer.text).toContain('"id":2');
      expect(answer.text).toContain('"id":3');
    }
  });

  test.for(['', '{', 'null', '[]', '"text"', '{"jsonrpc":"2.0"}', '{"id":1,"method":"ping"}'])(
    'the body %j is an error of the client, with an answer in JSON-RPC',
    async (body) => {
      const answer = await ask('POST', kit.url, await openSession(), body);
      expect(answer.status).toBe(400);
      expect(answer.message?.error?.code).toBeLessThan(0);
    },
  );

  test('ids may be strings, and numbers as strings are others', async () => {
    const session = await openSession();
    for (const id of ['2', 2, 'a b/ü', 0, '']) {
      const { message } = await ask('POST', kit.url, session, { ...LIST, id });
      expect(message?.id).toBe(id);
    }
  });
});

/** Waits until the stream has brought a message with this method. */
async function hears(stream: RawEvents, method: string): Promise<void> {
  for await (const { data } of stream.events) {
    if (data.includes(`"${method}"`)) return;
  }
  throw new Error(`the stream ended without ${method}`);
}
