import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { deferred } from '../fixture.ts';
import { ask, INITIALIZE } from './ask.ts';
import { attacked, bareSocket, sseSession, StreamableClient, type Attacked } from './attacked.ts';

const SECRET = 'password of the database';

/** An object of which nothing can be read. */
const POISON: unknown = new Proxy(Object.create(null) as object, {
  get: () => {
    throw new Error(SECRET);
  },
  has: () => {
    throw new Error(SECRET);
  },
  getPrototypeOf: () => {
    throw new Error(SECRET);
  },
  ownKeys: () => {
    throw new Error(SECRET);
  },
});

const throwing = (value: unknown) => (): never => {
  throw value;
};
const returning = (value: unknown) => (): CallToolResult => value as CallToolResult;

const circular: Record<string, unknown> = { content: [] };
circular['structuredContent'] = { circular };

/** What tools do, and must not harm anybody but their own call. */
const MISDEEDS: Readonly<
  Record<string, (context: ServerContext) => CallToolResult | Promise<CallToolResult>>
> = {
  'throws at once': throwing(new Error('at once')),
  'throws later': async () => {
    await nextTurn();
    throw new Error('later');
  },
  'throws a string': throwing('a string'),
  'throws undefined': throwing(undefined),
  'throws null': throwing(null),
  'throws a symbol': throwing(Symbol('odd')),
  'throws a function': throwing(() => {}),
  'throws an object that cannot be read': throwing(POISON),
  'throws an error whose message throws': throwing(
    Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error(SECRET);
      },
    }),
  ),
  'throws an error whose stack throws': throwing(
    Object.defineProperty(new Error('x'), 'stack', {
      get: () => {
        throw new Error(SECRET);
      },
    }),
  ),
  'throws an error that causes itself': () => {
    const error = new Error('round and round');
    error.cause = error;
    throw error;
  },
  'throws what cannot be a string': throwing({
    toString: () => {
      throw new Error(SECRET);
    },
  }),
  'throws an error with an odd code': throwing(Object.assign(new Error('odd'), { code: {} })),
  'throws a frozen error': throwing(Object.freeze(new Error('frozen'))),
  'throws a very long error': throwing(new Error('long'.repeat(1_000_000))),
  'overflows the stack': function overflow(context): CallToolResult {
    return MISDEEDS['overflows the stack']!(context) as CallToolResult;
  },
  'returns nothing': returning(undefined),
  'returns null': returning(null),
  'returns a number': returning(7),
  'returns other content': returning({ content: 'text' }),
  'returns a circle': returning(circular),
  'returns what throws when it is written': returning({
    content: [],
    structuredContent: { toJSON: throwing(new Error(SECRET)) },
  }),
  'returns what throws when it is read': returning({
    content: [],
    structuredContent: Object.defineProperty({}, 'secret', {
      enumerable: true,
      get: throwing(new Error(SECRET)),
    }),
  }),
  'returns an object that cannot be read': returning(POISON),
};

/** A server of such tools. */
function misdeeds(): Promise<Attacked> {
  return attacked(
    { toolEvents: true },
    {
      extend: (server) => {
        for (const [name, misdeed] of Object.entries(MISDEEDS)) {
          server.registerTool(name.replaceAll(' ', '_'), {}, misdeed);
        }
      },
    },
  );
}

/** The message of an error is told, as the SDK does it; where it was thrown is not. */
function expectNoStack(text: string): void {
  expect(text).not.toMatch(/\bat .*[:/]\w+\.[cm]?[jt]s:\d+/);
}

describe('a tool that', () => {
  it.each(Object.keys(MISDEEDS))(
    '%s fails its own call only, over every transport',
    async (deed) => {
      const server = await misdeeds();
      const tool = deed.replaceAll(' ', '_');
      const streamable = await StreamableClient.open(server.origin, 'mallory');
      const answered = await streamable.call(tool);
      expect(answered.status).toBe(200);
      expect(answered.message).toMatchObject({ id: 1 });
      expectFailure(answered.message, deed);
      expectNoStack(answered.text);

      const sse = await sseSession(server.origin, 'mallory');
      const headers = { 'x-user': 'mallory' };
      const params = { name: tool, arguments: {} };
      const body = { jsonrpc: '2.0', id: 2, method: 'tools/call', params };
      expect((await ask(sse.endpoint, { body, headers })).status).toBe(202);
      const data = await sse.raw.nextOf('message');
      expect(JSON.parse(data)).toMatchObject({ id: 2 });
      expectNoStack(data);

      const toolCall = { session_id: sse.id, tool, args: {} };
      const told = await ask(`${server.origin}/sse`, { body: toolCall, headers });
      expectNoStack(told.text);

      expect((await streamable.call('note', { text: 'goes on' })).message).toHaveProperty('result');
      await server.expectAlive();
    },
  );

  it('never answers holds up its own call only, and is told when that is cancelled', async () => {
    const begun = deferred();
    const aborted = deferred();
    const server = await attacked(
      {},
      {
        extend: (mcp) => {
          mcp.registerTool('never', {}, ({ mcpReq }) => {
            mcpReq.signal.addEventListener('abort', aborted.resolve);
            begun.resolve();
            return new Promise<never>(() => {});
          });
        },
      },
    );
    const client = await StreamableClient.open(server.origin, 'mallory');
    const never = client.call('never', {}, 'never');
    await begun.promise;
    expect((await client.call('note', { text: 'beside' })).message).toHaveProperty('result');
    const params = { requestId: 'never' };
    await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
    await aborted.promise;
    expect((await never).message).toEqual({});
    await server.expectAlive();
  });

  it('goes on after its session has ended reaches nobody', async () => {
    const begun = deferred();
    const released = deferred();
    const done = deferred();
    const failures: unknown[] = [];
    const server = await attacked(
      {},
      {
        extend: (mcp) => {
          mcp.registerTool('late', {}, async ({ mcpReq }) => {
            begun.resolve();
            await released.promise;
            const params = { progressToken: 'late', progress: 1 };
            const tries = [
              () => mcpReq.notify({ method: 'notifications/progress', params }),
              () => mcp.server.sendLoggingMessage({ level: 'info', data: 'late' }),
              () => mcp.server.listRoots(),
              async () => mcp.sendToolListChanged(),
            ];
            for (const attempt of tries) {
              await attempt().catch((error: unknown) => failures.push(error));
            }
            done.resolve();
            return { content: [] };
          });
        },
      },
    );
    const client = await StreamableClient.open(server.origin, 'mallory');
    const late = client.call('late').catch((error: unknown) => error);
    await begun.promise;
    const headers = { 'x-user': 'mallory', 'mcp-session-id': client.id };
    expect((await ask(client.url, { method: 'DELETE', headers })).status).toBeLessThan(300);
    released.resolve();
    await done.promise;
    await late;
    await server.expectAlive();
  });

  it('answers with more than may be buffered ends its own stream only', async () => {
    const server = await attacked(
      { maxBufferedBytes: 100_000 },
      {
        extend: (mcp) => {
          mcp.registerTool('huge', {}, () => ({
            content: [{ type: 'text', text: 'x'.repeat(10_000_000) }],
          }));
        },
      },
    );
    const client = await StreamableClient.open(server.origin, 'mallory');
    const answered = await client.call('huge').catch((error: unknown) => ({ text: String(error) }));
    expect(answered.text.length).toBeLessThan(1_000_000);
    await server.expectAlive();
  });

  it.each([false, true])(
    'talks without end is held back, also by a reader who stops (%s), until its session ends',
    async (isReading) => {
      const ended = deferred();
      let said = 0;
      const server = await attacked(
        { maxBufferedBytes: 1_000_000, sessionIdleMs: 60_000 },
        {
          extend: (mcp) => {
            mcp.registerTool('chatter', {}, async ({ mcpReq }) => {
              const params = { progressToken: 1, progress: 0, message: 'x'.repeat(1000) };
              try {
                while (!mcpReq.signal.aborted) {
                  said += 1;
                  await mcpReq.notify({
                    method: 'notifications/progress',
                    params: { ...params, progress: said },
                  });
                }
              } finally {
                ended.resolve();
              }
              return { content: [] };
            });
          },
        },
      );
      const client = await StreamableClient.open(server.origin, 'mallory');
      const socket = bareSocket(server.port);
      if (!isReading) socket.pause();
      else socket.resume();
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'chatter', arguments: {}, _meta: { progressToken: 1 } },
      });
      socket.write(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
          `Accept: application/json, text/event-stream\r\nX-User: mallory\r\n` +
          `Mcp-Session-Id: ${client.id}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await until(() => said > 1000);
      await server.expectAlive();
      const headers = { 'x-user': 'mallory', 'mcp-session-id': client.id };
      await ask(client.url, { method: 'DELETE', headers });
      await ended.promise;
      await server.expectAlive();
    },
  );
});

/** A JSON-RPC error, or a result that says that it is one; what `returns` may pass as the SDK left it. */
function expectFailure(message: Record<string, unknown>, deed: string): void {
  if (['returns nothing', 'returns a number', 'returns null'].includes(deed)) return;
  const { error, result } = message as { error?: object; result?: { isError?: boolean } };
  expect({ deed, failed: error !== undefined || result?.isError === true }).toEqual({
    deed,
    failed: true,
  });
}

describe('what makes servers', () => {
  it.each([
    ['throws', throwing(new Error(SECRET))],
    ['throws later', async () => Promise.reject(new Error(SECRET))],
    ['throws nothing', throwing(undefined)],
    ['makes none', returning(undefined)],
    ['cannot be read', returning(POISON)],
  ])('and %s is answered with 500, and a line of the log', async (_what, createForMallory) => {
    const server = await attacked({}, { createForMallory });
    const headers = { 'x-user': 'mallory' };
    const answers = [
      await ask(`${server.origin}/mcp`, { body: INITIALIZE, headers }),
      await ask(`${server.origin}/sse`, { method: 'GET', headers }),
    ];
    for (const { status, text } of answers) {
      expect(status).toBe(500);
      expectNoStack(text);
      expect(text).not.toContain(SECRET);
    }
    const logged = server.lines.filter(({ msg }) => /could not be made/.test(msg));
    expect(logged).toHaveLength(2);
    await server.expectAlive();
  });
});
