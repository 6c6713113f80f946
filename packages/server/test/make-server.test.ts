import Fastify from 'fastify';
import { connect } from 'node:net';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { mcp, serve, type ServableServer, type ServeOptions } from '../src/index.ts';
import { deferred, listening, open, stream } from './fixture.ts';
import { createSample } from './sample-server.ts';

/** A factory whose first servers are made when the test says so, and all later ones at once. */
interface Slow {
  url: string;
  /** How often a server was asked for. */
  asked: () => number;
  make: () => void;
  /** How many of the slow servers were closed. */
  closed: () => number;
  close: () => Promise<void>;
}

async function slow(count: number, options: Partial<ServeOptions> = {}): Promise<Slow> {
  const made = deferred();
  let asked = 0;
  let closed = 0;
  const create = async (): Promise<ServableServer> => {
    const { server } = createSample();
    asked += 1;
    if (asked > count) return server;
    await made.promise;
    return {
      connect: (transport) => server.connect(transport),
      close: async () => {
        closed += 1;
      },
    };
  };
  const { sseUrl: url, close } = await serve({ create, ...options });
  open.push(close);
  return { url, asked: () => asked, make: made.resolve, closed: () => closed, close };
}

describe('a factory that takes long', () => {
  it('holds no session for clients that have gone, and its servers are closed', async () => {
    const { url, asked, make, closed } = await slow(2, { maxSessions: 2 });
    const sockets = [1, 2].map(() => connect(Number(new URL(url).port), '127.0.0.1'));
    for (const socket of sockets) socket.write('GET /sse HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await expect.poll(asked).toBe(2);
    expect((await stream(url)).statusCode).toBe(503);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await stream(url)).statusCode).toBe(200);
    make();
    await expect.poll(closed).toBe(2);
  });

  it('is waited for createTimeoutMs, and a server that comes later is closed', async () => {
    const { url, make, closed } = await slow(1, { maxSessions: 1, createTimeoutMs: 20 });
    expect((await stream(url)).statusCode).toBe(500);
    expect((await stream(url)).statusCode).toBe(200);
    expect(closed()).toBe(0);
    make();
    await expect.poll(closed).toBe(1);
  });

  it('does not keep an application from closing', async () => {
    const app = Fastify();
    const asked = deferred();
    await app.register(mcp, {
      create: () => {
        asked.resolve();
        return new Promise<never>(() => {});
      },
    });
    const url = await listening(app);
    const answer = request(`${url}/sse`);
    await asked.promise;
    await app.close();
    expect((await answer).statusCode).toBe(503);
  });

  it('may be one whose server takes long to connect', async () => {
    let closed = false;
    const connecting = deferred();
    const { sseUrl: url, close } = await serve({
      create: () => ({
        connect: () => {
          connecting.resolve();
          return new Promise<never>(() => {});
        },
        close: async () => {
          closed = true;
        },
      }),
      maxSessions: 1,
    });
    open.push(close);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET /sse HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await connecting.promise;
    socket.destroy();
    await expect.poll(() => closed).toBe(true);
  });
});

describe('a factory that fails', () => {
  it('is answered with 500, opens nothing, and its reason is for the log alone', async () => {
    let log = '';
    const app = Fastify({ logger: { stream: { write: (line: string) => void (log += line) } } });
    await app.register(mcp, {
      maxSessions: 1,
      create: async () => {
        throw new Error('db password is hunter2');
      },
    });
    const url = `${await listening(app)}/sse`;
    for (let attempt = 0; attempt < 2; attempt++) {
      const { statusCode, body } = await request(url);
      expect(statusCode).toBe(500);
      const text = await body.text();
      expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', error: { code: -32603 } });
      expect(text).not.toContain('hunter2');
    }
    expect(log).toContain('db password is hunter2');
  });

  it('may be one whose server does not connect', async () => {
    const app = Fastify();
    await app.register(mcp, {
      create: () => ({
        connect: () => Promise.reject(new Error('hunter2')),
        close: async () => {},
      }),
    });
    const { statusCode, body } = await request(`${await listening(app)}/sse`);
    expect(statusCode).toBe(500);
    expect(await body.text()).not.toContain('hunter2');
  });
});
