import { pino } from 'pino';
import { request } from 'undici';
import { describe, expect, it, vi } from 'vitest';
import { serve, type ServableServer, type ServeOptions } from '../src/index.ts';
import { call, endpointOf, opened, post, serving, stream, PING, openSocket } from './fixture.ts';
import { createSample } from './sample-server.ts';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

describe('serve', () => {
  it('listens on loopback, and close leaves nothing open', async () => {
    const { url, samples, close } = await serving();
    expect(new URL(url)).toMatchObject({ hostname: '127.0.0.1', pathname: '/sse' });
    const raw = await stream(url);
    const endpoint = await endpointOf(raw, url);
    await post(endpoint, call(1, 'wait'));
    const signal = await samples[0]!.waiting;
    await close();
    expect(signal.aborted).toBe(true);
    await samples[0]!.closed;
    await expect(request(url)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('answers to the name of the host that it listens on', async () => {
    const { url } = await serving({ host: '0.0.0.0' });
    expect((await stream(url)).statusCode).toBe(200);
  });

  it('fails when the port is taken', async () => {
    const { url } = await serving();
    const port = Number(new URL(url).port);
    await expect(serve({ create: () => createSample().server, port })).rejects.toThrow(
      /EADDRINUSE/,
    );
  });

  it.each([
    { heartbeatMs: 0 },
    { heartbeatMs: Number.NaN },
    { sessionIdleMs: -1 },
    { sessionIdleMs: 2 ** 31 },
    { maxSessions: 1.5 },
    { maxBodyBytes: 0 },
    { maxBufferedBytes: Infinity },
    { maxTotalBufferedBytes: 0 },
    { createTimeoutMs: 0 },
    { allowedHosts: ['http://localhost'] },
    { allowedHosts: 'localhost' },
    { allowedOrigins: ['https://'] },
    { toolEvents: 'yes' },
    { heartBeatMs: 1 },
  ])('names the wrong option in a TypeError: %j', async (options) => {
    const [name] = Object.keys(options);
    const create = (): ServableServer => createSample().server;
    const failure = await serve({ create, ...options } as ServeOptions).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(TypeError);
    expect((failure as TypeError).message).toContain(name);
  });
});

const MIB = 1024 * 1024;

/** More than the kernel takes for a reader who has stopped. */
const HUGE = { text: 'x', times: 30 * MIB };

describe('serve', () => {
  it('closes at once, also when a reader has stopped', async () => {
    const { url, close, samples } = await serving();
    const slow = await openSocket(url);
    slow.socket.pause();
    const endpoint = new URL(slow.endpoint, url).href;
    await post(endpoint, call(1, 'repeat', HUGE));
    await post(endpoint, PING);
    // On a clock of the test's own: four seconds are less than the grace that others are given.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      let isClosed = false;
      const closed = close().then(() => (isClosed = true));
      for (let ms = 0; ms < 4000 && !isClosed; ms++) {
        await vi.advanceTimersByTimeAsync(1);
        await nextTurn();
      }
      expect(isClosed).toBe(true);
      await closed;
    } finally {
      vi.useRealTimers();
    }
    await samples[0]!.closed;
  });

  it('says where it is below a prefix, and takes a slash at the end', async () => {
    const { url, mcpUrl, app } = await serving({ prefix: '/api' });
    expect([url, mcpUrl].map((one) => new URL(one).pathname)).toEqual(['/api/sse', '/api/mcp']);
    const headers = await opened(`${mcpUrl}/`);
    expect((await post(mcpUrl, PING, headers)).status).toBe(200);
    expect((await post(await endpointOf(await stream(`${url}/`), url), PING)).status).toBe(202);
    const card = await app.inject({ url: '/api/server-card/', headers: { host: 'localhost' } });
    expect(card.json().transports[0].url).toBe('/api/mcp');
  });

  it.each(['options of pino', 'a logger'])(
    'logs to %s, and no secret of a mistyped path',
    async (what) => {
      let log = '';
      const destination = { write: (line: string) => void (log += line) };
      const level = 'info';
      const logger =
        what === 'a logger' ? pino({ level }, destination) : { level, stream: destination };
      const { url } = await serving({ logger });
      const { origin } = new URL(url);
      for (const path of ['/sse/', '/SSE', '/messages/', '/message']) {
        const { body } = await request(`${origin}${path}?resume=SECRET&sessionId=SECRET`);
        await body.dump();
        expect(log).toContain(`"url":"${path}?resume=[redacted]&sessionId=[redacted]"`);
      }
      expect(log).not.toContain('SECRET');
    },
  );

  it('tells a client that is nowhere where to go', async () => {
    const { url } = await serving({ prefix: '/api' });
    const { statusCode, body } = await request(new URL('/', url));
    expect(statusCode).toBe(404);
    expect(await body.text()).toContain('clients connect to /api/mcp, older ones to /api/sse');
  });

  it('does not wait for ever for the body of a request', async () => {
    const { url } = await serving();
    let timeoutMs: number | undefined;
    const see = (message: unknown): void => {
      const { server } = message as { server: Server };
      timeoutMs = server.requestTimeout;
    };
    subscribe('http.server.request.start', see);
    try {
      await stream(url);
    } finally {
      unsubscribe('http.server.request.start', see);
    }
    expect(timeoutMs).toBe(30_000);
  });
});
