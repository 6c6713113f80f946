import {
  Client,
  StreamableHTTPClientTransport,
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import fastifyCors from '@fastify/cors';
import Fastify, { type FastifyInstance } from 'fastify';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { apiKeys, hashApiKey, jwt, mcp, type McpOptions } from '../src/index.ts';
import { startIssuer } from './auth/issuer.ts';
import { deferred, listening, open, opened, post } from './fixture.ts';
import { createSample } from './sample-server.ts';

const create: McpOptions['create'] = () => createSample().server;

async function get(
  url: string,
  { method = 'GET' as 'GET' | 'OPTIONS' | 'HEAD', headers = {} as Record<string, string> } = {},
) {
  const { statusCode, headers: answered, body } = await request(url, { method, headers });
  return { status: statusCode, headers: answered, text: await body.text() };
}

describe('a part of an application that has a prefix', () => {
  it.each([
    ['/v1', '/api'],
    ['/v1', ''],
    ['/:tenant/deep', '/api'],
  ])('leads OAuth clients to its resource: %s%s', async (outer, prefix) => {
    const issuer = await startIssuer();
    const app = Fastify();
    const auth = jwt({ issuer: issuer.url, audience: 'https://mcp.example', jwks: issuer.jwks });
    await app.register(async (part) => part.register(mcp, { prefix, create, auth }), {
      prefix: outer,
    });
    const base = `${await listening(app)}${outer.replace(':tenant', 'acme')}${prefix}`;
    for (const endpoint of ['mcp', 'sse'] as const) {
      const url = `${base}/${endpoint}`;
      const response = await fetch(url);
      expect(response.status).toBe(401);
      const { resourceMetadataUrl } = extractWWWAuthenticateParams(response);
      const document = await discoverOAuthProtectedResourceMetadata(url, {
        resourceMetadataUrl: resourceMetadataUrl!,
      });
      expect(document).toMatchObject({ resource: url, authorization_servers: [issuer.url] });
    }
  });

  it('has its probes there, also where the application has a path of that name', async () => {
    const app = Fastify();
    app.get('/healthz', async () => 'mine');
    await app.register(async (part) => part.register(mcp, { create }), { prefix: '/v1' });
    const url = await listening(app);
    expect((await get(`${url}/healthz`)).text).toBe('mine');
    expect((await get(`${url}/v1/healthz`)).text).toBe('{"status":"ok"}');
  });
});

describe('two mounts of one application', () => {
  async function twice(first: Partial<McpOptions>, second: Partial<McpOptions>): Promise<string> {
    const app = Fastify();
    open.push(() => app.close());
    await app.register(mcp, { prefix: '/a', create, ...first });
    await app.register(mcp, { prefix: '/b', create, ...second });
    return listening(app);
  }

  it('have the probes that one of them asks for', async () => {
    const url = await twice({ health: false }, { health: true });
    expect((await get(`${url}/healthz`)).status).toBe(200);
    expect((await get(`${url}/readyz`)).status).toBe(200);
  });

  it('stop in one way: what the second says otherwise is an error', async () => {
    await expect(twice({ stop: { delayMs: 1 } }, { stop: { delayMs: 2 } })).rejects.toThrow(
      /^stop: .*delayMs 1 and graceMs 30000/,
    );
    await twice({ stop: { delayMs: 1 } }, { stop: { delayMs: 1 } });
    await twice({ stop: { delayMs: 1 } }, {});
  });
});

describe('cors', () => {
  const ORIGIN = 'https://app.example';
  const preflight = {
    method: 'OPTIONS' as const,
    headers: { origin: ORIGIN, 'access-control-request-method': 'DELETE' },
  };
  const options = { create, cors: true, allowedOrigins: [ORIGIN] };

  async function withAdmin(app: FastifyInstance): Promise<string> {
    app.delete('/admin', async () => 'deleted');
    return listening(app);
  }

  it('is for the mount alone, also where that has no prefix', async () => {
    const app = Fastify();
    await app.register(mcp, options);
    const url = await withAdmin(app);
    for (const path of ['mcp', 'sse', 'messages', 'server-card']) {
      const { status, headers } = await get(`${url}/${path}`, preflight);
      expect([path, status, headers['access-control-allow-origin']]).toEqual([path, 204, ORIGIN]);
    }
    for (const origin of [ORIGIN, 'https://other.example']) {
      const headers = { ...preflight.headers, origin };
      const answer = await get(`${url}/admin`, { ...preflight, headers });
      expect(answer.status).toBe(404);
      expect(answer.headers['access-control-allow-methods']).toBeUndefined();
    }
  });

  it('lets the application have @fastify/cors after it, for the rest', async () => {
    const app = Fastify();
    await app.register(mcp, options);
    await app.register(fastifyCors, { origin: 'https://admin.example', methods: ['DELETE'] });
    const url = await withAdmin(app);
    const admin = await get(`${url}/admin`, preflight);
    expect(admin.headers['access-control-allow-origin']).toBe('https://admin.example');
    const { headers } = await get(`${url}/mcp`, preflight);
    expect(headers['access-control-allow-origin']).toBe(ORIGIN);
  });

  it('keeps what a hook of the application says that the answer depends on', async () => {
    const app = Fastify();
    app.addHook('onRequest', async (_request, reply) => void reply.header('vary', 'Accept'));
    await app.register(mcp, options);
    const { headers } = await get(`${await listening(app)}/server-card`);
    expect(headers['vary']).toBe('Accept, Origin');
  });
});

describe('the card', () => {
  async function cards(options: McpOptions): Promise<{ url: string; log: () => string }> {
    let log = '';
    const app = Fastify({ logger: { stream: { write: (line: string) => void (log += line) } } });
    await app.register(mcp, options);
    return { url: `${await listening(app)}/server-card`, log: () => log };
  }

  it.each([
    ['throws', () => Promise.reject(new Error('secret db down'))],
    ['never ends', () => new Promise<never>(() => {})],
    [
      'makes a server that never answers',
      () => ({ connect: async () => {}, close: async () => {} }),
    ],
  ])('is refused where create %s, and the log says why', async (_what, make) => {
    const { url, log } = await cards({ create: make, createTimeoutMs: 50 });
    const { status, text } = await get(url);
    expect(status).toBe(500);
    expect(JSON.parse(text).error.message).toMatch(/could not be made/);
    expect(text).not.toContain('secret');
    expect(log()).toMatch(/"level":50.*server of a card/);
  });

  it('closes a server that comes too late', async () => {
    const made = deferred();
    const closed = deferred();
    const { url } = await cards({
      createTimeoutMs: 20,
      create: async () => {
        await made.promise;
        return { connect: async () => {}, close: async () => closed.resolve() };
      },
    });
    expect((await get(url)).status).toBe(500);
    made.resolve();
    await closed.promise;
  });

  it('is of the server that its reader would get', async () => {
    const made: string[] = [];
    const { url } = await cards({
      auth: apiKeys({
        keys: ['ada', 'bob'].map((id) => ({ principal: id, sha256: hashApiKey(id) })),
      }),
      create: ({ principal }) => {
        made.push(principal.id);
        return new McpServer({ name: `of ${principal.id}`, version: '1' });
      },
    });
    for (const id of ['ada', 'bob', 'ada']) {
      const { text } = await get(url, { headers: { 'x-api-key': id } });
      expect(JSON.parse(text).serverInfo.name).toBe(`of ${id}`);
    }
    expect(made).toEqual(['ada', 'bob']);
    expect((await get(url)).status).toBe(401);
  });
});

it('a server of SDK 1.x serves sessions, also to clients that ask for the stateless protocol first', async () => {
  let log = '';
  const app = Fastify({ logger: { stream: { write: (line: string) => void (log += line) } } });
  await app.register(mcp, {
    create: () => {
      const server = new McpServer1({ name: 'old', version: '1' });
      server.registerTool('hi', {}, () => ({ content: [{ type: 'text', text: 'there' }] }));
      return server as unknown as ReturnType<McpOptions['create']>;
    },
  });
  const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  open.push(() => client.close());
  await client.connect(new StreamableHTTPClientTransport(new URL(`${await listening(app)}/mcp`)));
  expect(await client.callTool({ name: 'hi', arguments: {} })).toMatchObject({
    content: [{ text: 'there' }],
  });
  expect(log).toMatch(/"reason":"This server only serves sessions/);
});

it('says what is wrong with what comes by', async () => {
  const app = Fastify();
  await app.register(mcp, { create });
  const url = `${await listening(app)}/mcp`;
  const session = await opened(url);
  const refusal = async (body: object, headers = {}): Promise<string> => {
    const { status, text } = await post(url, body, { ...session, ...headers });
    expect(status).toBeGreaterThanOrEqual(400);
    return JSON.parse(text).error.message;
  };
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  for (const body of [
    { ...ping, id: null },
    { ...ping, id: 1.5 },
    { ...ping, id: 2 ** 53 },
    { ...ping, extra: 1 },
    Array.from({ length: 101 }, (_none, id) => ({ ...ping, id })),
  ]) {
    expect(await refusal(body)).toMatch(/jsonrpc, id, method and params.*2\^53.*1 to 100/);
  }
  const gzip = await refusal(ping, { 'content-encoding': 'gzip' });
  expect(gzip).toMatch(/compressed.*Content-Encoding/);
  const put = await request(url, { method: 'PUT' });
  expect(put.statusCode).toBe(405);
  expect(((await put.body.json()) as { error: Error }).error.message).toBe(
    'This path takes GET, POST, DELETE',
  );
});
