import fastify, { type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import {
  fastifyConnectionOptions,
  limitConnections,
  resolveConnections,
  type ConnectionOptions,
} from '../../src/limits/slow-clients.ts';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function listening(
  options: ConnectionOptions,
): Promise<{ app: FastifyInstance; port: number; url: string }> {
  const resolved = resolveConnections(options, { maxSessions: 1_000 });
  const app = fastify({ forceCloseConnections: true, ...fastifyConnectionOptions(resolved) });
  limitConnections(app.server, resolved, app.log);
  app.get('/stream', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.raw.write(': here\n\n');
  });
  app.get('/', async () => 'served');
  open.push(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return { app, port, url: `http://127.0.0.1:${port}` };
}

function socketTo(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  open.push(async () => socket.destroy());
  return socket;
}

describe('clients that send slowly', () => {
  it('are cut off by the hundred, while others are served', async () => {
    const { app, port, url } = await listening({ headersTimeoutMs: 300, requestTimeoutMs: 300 });
    const stream = await request(`${url}/stream`);
    const sockets = Array.from({ length: 600 }, () => socketTo(port));
    const said = new Map<Socket, string>();
    const ended = sockets.map(async (socket, at) => {
      socket.on('data', (chunk: Buffer) => said.set(socket, chunk.toString()));
      await once(socket, 'connect');
      // A third of them say nothing, a third never end their headers, a third never end their body.
      if (at % 3 === 1) socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n');
      if (at % 3 === 2) {
        socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{');
      }
      const drip =
        at % 3 === 0
          ? undefined
          : setInterval(() => socket.write(at % 3 === 1 ? 'x: y\r\n' : ' '), 100);
      await once(socket, 'close');
      clearInterval(drip);
    });
    let served = 0;
    let areCut = false;
    const cut = Promise.all(ended).then(() => (areCut = true));
    while (!areCut) {
      const answer = await request(url);
      expect(await answer.body.text()).toBe('served');
      served++;
    }
    await cut;
    expect(served).toBeGreaterThan(0);
    // Those who had begun a request are told why.
    const told = [...said.values()].filter((text) => text.includes('408'));
    expect(told.length).toBeGreaterThanOrEqual(400);
    // A request that arrived in time is answered for as long as it takes.
    expect(stream.body.destroyed).toBe(false);
    const connections = await new Promise<number>((resolve, reject) =>
      app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
    expect(connections).toBeLessThanOrEqual(5);
    stream.body.on('error', () => {});
    stream.body.destroy();
  });

  it('are not more than maxConnections, and make room when they leave', async () => {
    const { port } = await listening({ maxConnections: 20 });
    const sockets = Array.from({ length: 20 }, () => socketTo(port));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const one = sockets[0]!;
    one.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(one, 'data');
    const excess = socketTo(port);
    excess.resume();
    await once(excess, 'close');
    one.end();
    await once(one, 'close');
    for (;;) {
      const later = socketTo(port);
      later.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
      const answered = once(later, 'data').then(
        () => true,
        () => false,
      );
      const closed = once(later, 'close').then(() => false);
      if (await Promise.race([answered, closed])) break;
    }
  });

  it('cannot send headers without end', async () => {
    const { port } = await listening({ maxHeaderBytes: 2_048 });
    const socket = socketTo(port);
    socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(4_000)}`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 431 /);
  });

  it.each([
    [{ headersTimeoutMs: 0 }, 'headersTimeoutMs'],
    [{ headersTimeoutMs: 2_000, requestTimeoutMs: 1_000 }, 'requestTimeoutMs'],
    [{ maxConnections: 1.5 }, 'maxConnections'],
  ])('have limits that are checked: %j', (options, named) => {
    expect(() => resolveConnections(options, { maxSessions: 1 })).toThrow(named);
  });

  it('have room for the sessions that there may be', () => {
    expect(resolveConnections({}, { maxSessions: 10_000 }).maxConnections).toBe(40_000);
    expect(
      fastifyConnectionOptions(
        resolveConnections(
          { headersTimeoutMs: Infinity, requestTimeoutMs: Infinity },
          { maxSessions: 1 },
        ),
      ),
    ).toMatchObject({
      requestTimeout: 0,
      http: { headersTimeout: 0, requestTimeout: 0 },
    });
  });
});
