import {
  McpServer,
  ProtocolError,
  Server,
  requireScopes,
  type CallToolResult,
} from '@modelcontextprotocol/server';
import pino from 'pino';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { until } from '../../../test/support/until.ts';
import type { CallGate, CallOutcome, ServableServer, ServeOptions } from '../src/index.ts';
import { serve, type ServerFactory, type Serving } from '../src/index.ts';
import { deferred, open } from './fixture.ts';
import { RawStream } from './raw-stream.ts';
import { createSample, type Sample } from './sample-server.ts';

async function serving(create: ServerFactory): Promise<Serving> {
  const served = await serve({ create, toolEvents: true, resumeMs: 100 });
  open.push(() => served.close());
  return { ...served, url: served.sseUrl };
}

interface Opened {
  raw: RawStream;
  /** Of the session. */
  id: string;
  messages: string;
  sse: string;
  sample: Sample;
}

async function opened(): Promise<Opened> {
  let sample: Sample | undefined;
  const { url } = await serving(() => (sample = createSample()).server);
  const raw = await RawStream.get(url, { api_key: 'key' });
  open.push(() => raw[Symbol.asyncDispose]());
  const endpoint = new URL(await raw.nextOf('endpoint'), url);
  const id = endpoint.searchParams.get('session_id')!;
  return { raw, id, messages: endpoint.href, sse: url, sample: sample! };
}

async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RawStream> {
  const raw = await RawStream.post(url, body, headers);
  open.push(() => raw[Symbol.asyncDispose]());
  return raw;
}

async function answerOf(raw: RawStream): Promise<{ event: string | undefined; data: unknown }> {
  const first = await raw.next();
  expect(await raw.next()).toBeUndefined();
  return { event: first?.event, data: JSON.parse(first?.data ?? 'null') };
}

describe('the tool-events transport', () => {
  it('lists the tools after the endpoint', async () => {
    const { raw } = await opened();
    const second = await raw.next();
    expect(second?.event).toBe('tools');
    const tools = JSON.parse(second?.data ?? '') as { name: string }[];
    expect(tools[0]).toEqual({
      name: 'echo',
      description: 'Says it again',
      input_schema: expect.objectContaining({
        type: 'object',
        properties: { message: { type: 'string' } },
        required: ['message'],
      }),
    });
    expect(tools.map(({ name }) => name)).toContain('fail');
  });

  it.each(['messages', 'sse'] as const)('runs a tool posted to /%s', async (path) => {
    const session = await opened();
    const answer = await post(session[path], {
      session_id: session.id,
      tool: 'echo',
      args: { message: 'hello' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(await answerOf(answer)).toEqual({
      event: 'result',
      data: { content: [{ type: 'text', text: 'hello' }] },
    });
  });

  it('gives each of many calls at once its own result', async () => {
    const { id, sse } = await opened();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, n) =>
        answerOf(await post(sse, { session_id: id, tool: 'echo', args: { message: `${n}` } })),
      ),
    );
    expect(answers.map(({ data }) => data)).toEqual(
      answers.map((_, n) => ({ content: [{ type: 'text', text: `${n}` }] })),
    );
  });

  it('passes on a result that reports an error', async () => {
    const { id, sse } = await opened();
    expect(await answerOf(await post(sse, { session_id: id, tool: 'fail' }))).toEqual({
      event: 'result',
      data: { content: [{ type: 'text', text: 'as asked' }], isError: true },
    });
  });

  it('answers an unknown tool with an error event', async () => {
    const { id, messages } = await opened();
    expect(
      await answerOf(await post(messages, { session_id: id, tool: 'nope', args: {} })),
    ).toEqual({ event: 'error', data: { message: 'Tool nope not found', code: -32602 } });
  });

  it('answers 404 for an unknown session, 400 for a malformed call', async () => {
    const { id, messages, sse } = await opened();
    for (const url of [messages, sse]) {
      const unknown = { session_id: 'nope', tool: 'echo', args: {} };
      expect((await post(url, unknown)).statusCode).toBe(404);
      expect((await post(url, { tool: 'echo', args: {} })).statusCode).toBe(400);
      expect((await post(url, { session_id: id, tool: 1 })).statusCode).toBe(400);
      expect((await post(url, { session_id: id, tool: 'echo', args: [] })).statusCode).toBe(400);
    }
  });

  it('sends the tools again when they change', async () => {
    const { raw, id, sse } = await opened();
    await raw.nextOf('tools');
    await answerOf(await post(sse, { session_id: id, tool: 'grow' }));
    const again = JSON.parse(await raw.nextOf('tools')) as { name: string }[];
    expect(again.map(({ name }) => name)).toContain('grown');
  });

  it('cancels the call of a client that disconnects', async () => {
    const { id, sse, sample } = await opened();
    const answer = await post(sse, { session_id: id, tool: 'wait' });
    const signal = await sample.waiting;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    answer.close();
    await aborted;
    expect(sample.server.isConnected()).toBe(true);
  });

  it('ends a call with an error event when its session ends', async () => {
    const { raw, id, sse, sample } = await opened();
    const answer = await post(sse, { session_id: id, tool: 'wait' });
    const signal = await sample.waiting;
    raw.close();
    expect(await answerOf(answer)).toEqual({
      event: 'error',
      data: { message: 'the session has ended' },
    });
    expect(signal.aborted).toBe(true);
  });

  it('initializes the server once, and refuses what the server asks of its client', async () => {
    const { id, sse, sample } = await opened();
    let initialized = 0;
    sample.server.server.oninitialized = () => (initialized += 1);
    const answer = await answerOf(await post(sse, { session_id: id, tool: 'ask' }));
    await answerOf(await post(sse, { session_id: id, tool: 'ask' }));
    expect(answer).toMatchObject({ event: 'result', data: { isError: true } });
    expect(initialized).toBe(1);
  });

  it('lists no tools for a server that has none', async () => {
    const { url } = await serving(() => new Server({ name: 'bare', version: '0' }));
    const raw = await RawStream.get(url);
    open.push(() => raw[Symbol.asyncDispose]());
    expect(await raw.nextOf('tools')).toBe('[]');
  });

  it('reads all pages of the tools of a low-level server', async () => {
    const { url } = await serving(() => {
      const server = new Server({ name: 'pages', version: '0' }, { capabilities: { tools: {} } });
      const inputSchema = { type: 'object' } as const;
      server.setRequestHandler('tools/list', ({ params }) =>
        params?.cursor === undefined
          ? { tools: [{ name: 'one', inputSchema }], nextCursor: 'more' }
          : { tools: [{ name: 'two', inputSchema }] },
      );
      return server;
    });
    const raw = await RawStream.get(url);
    open.push(() => raw[Symbol.asyncDispose]());
    expect(JSON.parse(await raw.nextOf('tools'))).toEqual([
      { name: 'one', input_schema: { type: 'object' } },
      { name: 'two', input_schema: { type: 'object' } },
    ]);
  });

  it('is HTTP+SSE to a client that initializes', async () => {
    const { raw, id, messages, sse, sample } = await opened();
    const initialized = new Promise<void>((resolve) => {
      sample.server.server.oninitialized = resolve;
    });
    const initialize = {
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: {
        protocolVersion: '2024-11-05',
        capabilities: {},
        clientInfo: { name: 'raw', version: '1' },
      },
    };
    const elsewhere = await request(sse, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(initialize),
    });
    expect(elsewhere.statusCode).toBe(405);
    await elsewhere.body.dump();
    expect((await post(messages, initialize)).statusCode).toBe(202);
    expect(JSON.parse(await raw.nextOf('message'))).toMatchObject({
      id: 0,
      result: { protocolVersion: '2024-11-05', serverInfo: { name: 'sample' } },
    });
    await post(messages, { jsonrpc: '2.0', method: 'notifications/initialized' });
    await initialized;
    const both = await post(sse, { session_id: id, tool: 'echo', args: { message: 'too' } });
    expect(await answerOf(both)).toMatchObject({ event: 'result' });
    expect(sample.server.server.getClientVersion()?.name).toBe('raw');
  });
});

const ERROR = { code: -32_603 };
const circular: Record<string, unknown> = {};
circular['itself'] = circular;

/** What may become of a call: what its server does, and how its client and the gates are told. */
const ENDINGS: Readonly<
  Record<string, { run?: () => object; event?: string; told?: object; gates: object }>
> = {
  answers: {
    run: () => ({ content: [] }),
    event: 'result',
    told: { content: [] },
    gates: { kind: 'result' },
  },
  'reports an error': {
    run: () => ({ content: [], isError: true }),
    event: 'result',
    told: { isError: true },
    gates: { kind: 'result', result: { isError: true } },
  },
  throws: {
    run: () => {
      throw new Error('as asked');
    },
    event: 'error',
    told: { ...ERROR, message: 'as asked' },
    gates: { kind: 'error', error: { ...ERROR, message: 'as asked' } },
  },
  'is unknown': {
    run: () => {
      throw new ProtocolError(-32_602, 'no such tool', { tool: 'x' });
    },
    event: 'error',
    told: { code: -32_602, message: 'no such tool' },
    gates: { kind: 'error', error: { code: -32_602, data: { tool: 'x' } } },
  },
  'answers with a circle': {
    run: () => ({ content: [], structuredContent: circular }),
    event: 'error',
    told: ERROR,
    gates: { kind: 'error', error: ERROR },
  },
  'answers with too much': {
    run: () => ({ content: [{ type: 'text', text: 'x'.repeat(100_000) }] }),
    event: 'error',
    told: ERROR,
    gates: { kind: 'error', error: ERROR },
  },
  'is refused by a queue': {
    event: 'error',
    told: { code: -1, message: 'held' },
    gates: { kind: 'error', error: { code: -1 } },
  },
  'breaks a gate': {
    event: 'error',
    told: ERROR,
    gates: { kind: 'error', error: ERROR },
  },
  'is refused': {
    gates: { kind: 'refused', refusal: { status: 429 } },
  },
  'breaks a gate that is asked': {
    gates: { kind: 'refused', refusal: { status: 500 } },
  },
};

const REFUSING: CallGate = {
  admit: ({ target }) => {
    if (target === 'breaks a gate that is asked') throw new Error('a defect');
    return target === 'is refused' ? { status: 429, code: -2, message: 'asked' } : undefined;
  },
  hold: async ({ target }) =>
    target === 'is refused by a queue' ? { status: 503, code: -1, message: 'held' } : undefined,
  around: ({ target }, deliver) => {
    if (target === 'breaks a gate') throw new Error('a defect');
    deliver();
  },
};

describe('a call of the tool-events transport', () => {
  /** A server, and what its gates and its log are told. */
  async function told(
    server: () => ServableServer,
    gates: CallGate[] = [],
    more: Partial<ServeOptions> = {},
  ): Promise<{
    url: string;
    raw: RawStream;
    id: string;
    outcomes: CallOutcome[];
    log: () => string;
  }> {
    let log = '';
    const logger = pino({ level: 'debug' }, { write: (line: string) => void (log += line) });
    const outcomes: CallOutcome[] = [];
    const leave = (_call: unknown, outcome: CallOutcome): void => void outcomes.push(outcome);
    const options = { toolEvents: true, maxBufferedBytes: 50_000, audit: false, logger, ...more };
    const served = await serve({ create: server, ...options, gates: [...gates, { leave }] });
    open.push(() => served.close());
    const url = served.sseUrl;
    const raw = await RawStream.get(url);
    open.push(() => raw[Symbol.asyncDispose]());
    const endpoint = new URL(await raw.nextOf('endpoint'), url);
    const id = endpoint.searchParams.get('session_id')!;
    return { url, raw, id, outcomes, log: () => log };
  }

  function odd(): Server {
    const server = new Server({ name: 'odd', version: '0' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/call', ({ params: { name } }) => {
      return ENDINGS[name]!.run!() as CallToolResult;
    });
    return server;
  }

  it.each(Object.keys(ENDINGS))(
    'that %s is told to its client, the gates and the log',
    async (tool) => {
      const { event, told: says, gates } = ENDINGS[tool]!;
      const { url, id, outcomes, log } = await told(odd, [REFUSING]);
      const answer = await post(url, { session_id: id, tool });
      if (event === undefined) expect(answer.statusCode).toBeGreaterThanOrEqual(429);
      else expect(await answerOf(answer)).toMatchObject({ event, data: says });
      await until(() => outcomes.length > 0);
      expect(outcomes).toMatchObject([gates]);
      if (event === 'error') expect(log()).toMatch(/a call failed|cannot be sent|a gate failed/);
    },
  );

  it('fails where its server cannot be initialized, and works once it can', async () => {
    let isBroken = true;
    const { url, id, outcomes } = await told(() => {
      const server = odd();
      server.setRequestHandler('initialize', ({ params: { protocolVersion } }) => {
        if (isBroken) throw new Error('not yet');
        const serverInfo = { name: 'odd', version: '0' };
        return { protocolVersion, capabilities: { tools: {} }, serverInfo };
      });
      return server;
    });
    const call = { session_id: id, tool: 'answers' };
    expect(await answerOf(await post(url, call))).toMatchObject({
      event: 'error',
      data: { message: 'not yet' },
    });
    isBroken = false;
    expect(await answerOf(await post(url, call))).toMatchObject({ event: 'result' });
    await until(() => outcomes.length === 2);
    expect(outcomes).toMatchObject([{ kind: 'error', error: ERROR }, { kind: 'result' }]);
  });

  it('is cancelled by a client that leaves while a gate holds it, and never runs', async () => {
    const held = deferred();
    const goOn = deferred();
    const hold: CallGate['hold'] = async () => {
      held.resolve();
      await goOn.promise;
      return undefined;
    };
    const { server, waiting } = createSample();
    let hasRun = false;
    void waiting.then(() => (hasRun = true));
    const { url, id, outcomes } = await told(() => server, [{ hold }]);
    const answer = await post(url, { session_id: id, tool: 'wait' });
    await held.promise;
    answer.close();
    await until(() => outcomes.length > 0);
    expect(outcomes).toEqual([{ kind: 'cancelled' }]);
    goOn.resolve();
    // What was delivered before is answered before.
    await answerOf(await post(url, { session_id: id, tool: 'fail' }));
    expect(hasRun).toBe(false);
  });

  it('needs the scopes of its tool, and its tool sees who calls', async () => {
    const create = (): McpServer => {
      const server = new McpServer({ name: 'scoped', version: '0' });
      const config = { scopeChallenge: requireScopes('write') };
      server.registerTool('write', config, ({ http }) => ({
        content: [{ type: 'text', text: http?.authInfo?.clientId ?? 'nobody' }],
      }));
      return server;
    };
    const auth = ({ headers }: { headers: Record<string, unknown> }) => {
      const scopes = String(headers['x-scopes']).split(' ');
      return { id: 'ada', authInfo: { token: 't', clientId: 'ada', scopes } };
    };
    const { url, id, outcomes } = await told(create, [], { auth });
    const call = { session_id: id, tool: 'write' };
    const refused = await post(url, call, { 'x-scopes': 'read' });
    expect(refused.statusCode).toBe(403);
    expect(refused.headers['www-authenticate']).toContain('scope="write"');
    const answer = await post(url, call, { 'x-scopes': 'read write' });
    expect(await answerOf(answer)).toMatchObject({ data: { content: [{ text: 'ada' }] } });
    await until(() => outcomes.length === 2);
    expect(outcomes).toMatchObject([
      { kind: 'refused', refusal: { status: 403 } },
      { kind: 'result' },
    ]);
  });
});
