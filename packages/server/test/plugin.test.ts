import Fastify from 'fastify';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { mcp, type ServeOptions } from '../src/index.ts';
import { PING, endpointOf, listening, openSocket, post, serving, stream } from './fixture.ts';
import { createSample } from './sample-server.ts';
import { once } from 'node:events';
import { connect } from 'node:net';

describe('what is refused', () => {
  async function refused(
    body: string | object,
    headers?: Record<string, string>,
    options?: Partial<ServeOptions>,
  ): Promise<{ status: number; error: { code: number; message: string } }> {
    const { url } = await serving(options);
    const endpoint = await endpointOf(await stream(url), url);
    const { status, text } = await post(endpoint, body, headers);
    const { error, ...rest } = JSON.parse(text);
    expect(rest).toEqual({ jsonrpc: '2.0', id: null });
    return { status, error };
  }

  it('is a message to an unknown session', async () => {
    const { url } = await serving();
    const unknown = await post(new URL('/messages?sessionId=nope', url).href, PING);
    expect(unknown.status).toBe(404);
    expect(JSON.parse(unknown.text).error.message).toMatch(/GET \/sse/);
    expect((await post(new URL('/messages', url).href, PING)).status).toBe(400);
  });

  it('is a body that is not JSON', async () => {
    expect(await refused('{"jsonrpc":')).toMatchObject({ status: 400, error: { code: -32700 } });
    expect(await refused('')).toMatchObject({ status: 400, error: { code: -32700 } });
  });

  it.each([
    ['a batch', [PING]],
    ['no version', { id: 1, method: 'ping' }],
    ['a null id', { ...PING, id: null }],
    ['a tool call where they are not served', { session_id: 'x', tool: 'echo', args: {} }],
    ['a number', '1'],
  ])('is JSON that is not JSON-RPC: %s', async (_what, body) => {
    expect(await refused(body)).toMatchObject({ status: 400, error: { code: -32600 } });
  });

  it('is another content type', async () => {
    const answer = await refused(PING, { 'content-type': 'text/plain' });
    expect(answer.status).toBe(415);
    expect(answer.error.message).toMatch(/application\/json/);
  });

  it('is a body over the limit, and not one at the limit', async () => {
    const maxBodyBytes = JSON.stringify(PING).length;
    const { url } = await serving({ maxBodyBytes });
    const endpoint = await endpointOf(await stream(url), url);
    expect((await post(endpoint, PING)).status).toBe(202);
    const long = await refused({ ...PING, id: 10 }, {}, { maxBodyBytes });
    expect(long).toMatchObject({ status: 413 });
    expect(long.error.message).toMatch(/maxBodyBytes/);
  });

  it('is one session too many, until another has gone', async () => {
    const { url, samples } = await serving({ maxSessions: 1, resumeMs: 100 });
    const first = await stream(url);
    await first.nextOf('endpoint');
    const second = await stream(url);
    expect(second.statusCode).toBe(503);
    expect(second.headers['retry-after']).toBe('5');
    first.close();
    await samples[0]!.closed;
    expect((await stream(url)).statusCode).toBe(200);
  });

  it('is HEAD, which opens nothing', async () => {
    const { url, samples } = await serving();
    expect((await request(url, { method: 'HEAD' })).statusCode).toBe(405);
    expect(samples).toEqual([]);
  });

  it('is any other method, with those that are answered', async () => {
    const { url } = await serving();
    const streamable = await post(url, PING);
    expect(streamable).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(JSON.parse(streamable.text).error.message).toMatch(/GET \/sse/);
    const { statusCode, headers, body } = await request(new URL('/messages', url));
    await body.dump();
    expect(statusCode).toBe(405);
    expect(headers['allow']).toBe('POST');
  });
});

describe('Host and Origin', () => {
  async function status(
    headers: Record<string, string>,
    options: Partial<ServeOptions> = {},
  ): Promise<number> {
    const { url } = await serving(options);
    const raw = await stream(url, headers);
    if (raw.statusCode === 403) {
      const { statusCode, body } = await request(url, { headers });
      expect(statusCode).toBe(403);
      const { error } = (await body.json()) as { error: { message: string } };
      expect(error.message).toMatch(/allowedHosts|allowedOrigins/);
    }
    return raw.statusCode;
  }

  it.each(['localhost', 'LOCALHOST:80', '127.0.0.1:3000', '[::1]:1'])(
    'lets loopback in: %s',
    async (host) => {
      expect(await status({ host })).toBe(200);
    },
  );

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80', 'a@localhost'])(
    'refuses the host %s',
    async (host) => {
      expect(await status({ host })).toBe(403);
    },
  );

  it.each([
    ['http://localhost:5173', 200],
    ['http://127.0.0.1', 200],
    ['https://[::1]:8443', 200],
    ['https://evil.example', 403],
    ['http://localhost.evil.example', 403],
    ['null', 403],
  ])('answers the origin %s with %i', async (origin, expected) => {
    expect(await status({ origin })).toBe(expected);
  });

  it('takes other hosts, whose pages may call, and loopback no more', async () => {
    const options = { allowedHosts: ['mcp.example', 'other.example:8443'] };
    expect(await status({ host: 'mcp.example:99' }, options)).toBe(200);
    expect(await status({ host: 'other.example:8443' }, options)).toBe(200);
    expect(await status({ host: 'other.example:99' }, options)).toBe(403);
    expect(await status({ host: 'localhost' }, options)).toBe(403);
    const host = 'mcp.example';
    expect(await status({ host, origin: 'https://mcp.example' }, options)).toBe(200);
    expect(await status({ host, origin: 'http://localhost' }, options)).toBe(403);
  });

  it('takes other origins', async () => {
    const options = { allowedOrigins: ['https://app.example'] };
    expect(await status({ origin: 'https://app.example' }, options)).toBe(200);
    expect(await status({ origin: 'http://app.example' }, options)).toBe(403);
    expect(await status({ origin: 'https://app.example:444' }, options)).toBe(403);
    expect(await status({ origin: 'https://evil.example' }, { allowedOrigins: ['*'] })).toBe(200);
  });

  it('does not let a page in for a host that only a proxy has checked', async () => {
    const options = { allowedHosts: ['*'] };
    expect(await status({ host: 'any.example' }, options)).toBe(200);
    expect(await status({ host: 'any.example', origin: 'http://any.example' }, options)).toBe(403);
  });

  it('is checked on a POST too', async () => {
    const { url } = await serving();
    const endpoint = await endpointOf(await stream(url), url);
    expect((await post(endpoint, PING, { host: 'evil.example' })).status).toBe(403);
    expect((await post(endpoint, PING, { origin: 'http://evil.example' })).status).toBe(403);
  });
});

describe('the plugin in an application', () => {
  it('names the whole prefix in the endpoint event', async () => {
    const app = Fastify();
    await app.register(
      async (inner) => {
        await inner.register(mcp, {
          prefix: '/mcp',
          create: () => createSample().server,
        });
      },
      { prefix: '/api' },
    );
    const url = `${await listening(app)}/api/mcp/sse`;
    const raw = await stream(url);
    const endpoint = await endpointOf(raw, url);
    expect(new URL(endpoint).pathname).toBe('/api/mcp/messages');
    expect((await post(endpoint, PING)).status).toBe(202);
  });

  it.each([
    ['/:tenant', '/acme%20ltd/sse?key=1', '/acme%20ltd/messages'],
    ['/:tenant/v1', '/acme/v1/sse', '/acme/v1/messages'],
    ['/:tenant', '/\\evil.example/sse', '/evil.example/messages'],
    ['/', 'http://localhost/sse', '/messages'],
  ])('below %s names to GET %s the endpoint %s', async (prefix, path, expected) => {
    const app = Fastify();
    await app.register(mcp, { prefix, create: () => createSample().server });
    const url = await listening(app);
    const endpoint = (await openSocket(url, path)).endpoint;
    expect(endpoint.split('?')[0]).toBe(expected);
  });

  it('takes messages at the endpoint below a prefix with parameters', async () => {
    const app = Fastify();
    await app.register(mcp, {
      prefix: '/:tenant',
      create: () => createSample().server,
    });
    const url = `${await listening(app)}/acme/sse`;
    const endpoint = await endpointOf(await stream(url), url);
    expect(new URL(endpoint).pathname).toBe('/acme/messages');
    expect((await post(endpoint, PING)).status).toBe(202);
  });

  it('names the path that the client knows, when the application rewrites it', async () => {
    const app = Fastify({ rewriteUrl: ({ url }) => (url ?? '').replace(/^\/outside/, '') });
    await app.register(mcp, { create: () => createSample().server });
    const url = `${await listening(app)}/outside/sse`;
    const endpoint = await endpointOf(await stream(url), url);
    expect(new URL(endpoint).pathname).toBe('/outside/messages');
    expect((await post(endpoint, PING)).status).toBe(202);
  });

  it('lets hooks ask for credentials, hand on headers, and leaves other routes alone', async () => {
    const app = Fastify();
    app.addHook('onRequest', async (req, reply) => {
      reply.header('x-app', 'mine');
      if (req.headers.authorization !== 'Bearer key') {
        return reply.code(401).send({ error: 'who are you' });
      }
      return undefined;
    });
    app.post('/plain', async (req) => req.body);
    let seen: unknown;
    await app.register(mcp, {
      create: ({ headers }) => {
        seen = headers.authorization;
        return createSample().server;
      },
    });
    const url = await listening(app);
    expect((await stream(`${url}/sse`)).statusCode).toBe(401);
    const authorization = 'Bearer key';
    const raw = await stream(`${url}/sse`, { authorization });
    expect(raw.statusCode).toBe(200);
    expect(raw.headers['x-app']).toBe('mine');
    expect(seen).toBe(authorization);
    const plain = await post(`${url}/plain`, 'text', {
      authorization,
      'content-type': 'text/plain',
      host: 'elsewhere.example',
    });
    expect(plain).toMatchObject({ status: 200, text: 'text' });
  });

  it('ends all sessions when the application closes, without force', async () => {
    const app = Fastify();
    const sample = createSample();
    await app.register(mcp, { create: () => sample.server });
    const raw = await stream(`${await listening(app)}/sse`);
    await raw.nextOf('endpoint');
    await app.close();
    await sample.closed;
    expect(await raw.next()).toBeUndefined();
  });
});

/** What a server answers to bytes on a socket of their own. */
async function raw(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(request);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString();
}

describe('a header that comes twice', () => {
  it.each([
    ['host', 'Host: evil.example'],
    ['origin', 'Origin: http://localhost\r\nOrigin: http://evil.example'],
    ['content-type', 'Content-Type: application/json\r\nContent-Type: text/plain'],
    ['authorization', 'Authorization: Bearer a\r\nAuthorization: Bearer b'],
  ])('%s is refused', async (name, extra) => {
    const { url } = await serving();
    const answer = await raw(url, `GET /sse HTTP/1.1\r\nHost: localhost\r\n${extra}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain(`more than one ${name} header`);
  });

  it.each([
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3'],
    ['a length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked'],
  ])('%s are refused', async (_what, extra) => {
    const { url } = await serving();
    const head = 'POST /messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json';
    expect(await raw(url, `${head}\r\n${extra}\r\n\r\n{}`)).toMatch(/^HTTP\/1.1 400 /);
  });

  it('is refused where it is the id of the session', async () => {
    const { url } = await serving();
    const endpoint = await endpointOf(await stream(url), url);
    const other = new URL(endpoint);
    other.searchParams.set('session_id', 'another');
    expect((await post(other.href, PING)).status).toBe(400);
    other.searchParams.delete('session_id');
    other.searchParams.append('sessionId', 'another');
    expect((await post(other.href, PING)).status).toBe(400);
    for (const odd of ['__proto__', 'constructor', '%00', '']) {
      const { href } = new URL(`/messages?sessionId=${odd}`, url);
      expect((await post(href, PING)).status).toBe(404);
    }
  });
});
