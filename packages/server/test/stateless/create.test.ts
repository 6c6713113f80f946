import Fastify from 'fastify';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { mcp, type McpOptions, type ServableServer, type ServerContext } from '../../src/index.ts';
import { deferred, listening, post, stream } from '../fixture.ts';
import { createSample } from '../sample-server.ts';
import { ask, listen, onTheWire, toolCall } from './requests.ts';

/** An application whose servers are made by this, and its log. */
async function making(
  create: McpOptions['create'],
  options: Partial<McpOptions> = {},
): Promise<{ url: string; lines: string[]; close: () => Promise<void> }> {
  const lines: string[] = [];
  const app = Fastify({ logger: { stream: { write: (line: string) => void lines.push(line) } } });
  await app.register(mcp, { create, ...options });
  return { url: await listening(app), lines, close: () => app.close() };
}

/** A server that tells when it is closed. */
function closing(): { server: ServableServer; closed: Promise<void> } {
  const { promise: closed, resolve } = deferred();
  const { server } = createSample();
  return {
    closed,
    server: {
      connect: (transport) => server.connect(transport),
      close: async () => {
        await server.close();
        resolve();
      },
    },
  };
}

it.each([
  ['takes too long', () => new Promise<never>(() => {})],
  ['throws', () => Promise.reject(new Error('db password is hunter2'))],
  [
    'makes a server that does not connect',
    () =>
      Object.assign(createSample().server, { connect: () => Promise.reject(new Error('hunter2')) }),
  ],
])('a factory that %s is answered as for a session', async (_what, create) => {
  const { url, lines } = await making(create, { createTimeoutMs: 20 });
  const session = await post(`${url}/mcp`, {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    },
  });
  expect(session.status).toBe(500);
  lines.length = 0;
  const answer = await ask(`${url}/mcp`, toolCall('echo', { message: 'x' }));
  const { id, error } = JSON.parse(answer.text) as { id: number; error: object };
  expect([answer.status, id, error]).toEqual([500, 1, JSON.parse(session.text).error]);
  const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50);
  expect(errors).toHaveLength(1);
  expect(answer.text).not.toContain('hunter2');
});

it('a server that comes after createTimeoutMs is closed', async () => {
  const made = deferred();
  const { server, closed } = closing();
  const create = async (): Promise<ServableServer> => {
    await made.promise;
    return server;
  };
  const { url } = await making(create, { createTimeoutMs: 20 });
  expect((await ask(`${url}/mcp`, toolCall('wait'))).status).toBe(500);
  made.resolve();
  await closed;
});

it('a client that leaves gets no server: the one that comes is closed', async () => {
  const made = deferred();
  const asked = deferred();
  const { server, closed } = closing();
  let signal: AbortSignal | undefined;
  const { url } = await making(async (context: ServerContext) => {
    signal = context.signal;
    asked.resolve();
    await made.promise;
    return server;
  });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(onTheWire(toolCall('wait')));
  await asked.promise;
  const left = once(signal!, 'abort');
  socket.destroy();
  await left;
  made.resolve();
  await closed;
});

it('an application closes while servers are made, and their clients are answered', async () => {
  let count = 0;
  const asked = deferred();
  const { url, close } = await making(() => {
    if (++count === 3) asked.resolve();
    return new Promise<never>(() => {});
  });
  const answers = [
    ask(`${url}/mcp`, toolCall('wait')),
    ask(`${url}/mcp`, listen()),
    stream(`${url}/sse`),
  ] as const;
  await asked.promise;
  await close();
  const [call, subscription, session] = await Promise.all(answers);
  expect(call.status).toBe(503);
  expect(subscription.status).toBe(503);
  expect(session.statusCode).toBe(503);
});
