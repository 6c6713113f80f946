import fastifyCors from '@fastify/cors';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { apiKeys, hashApiKey } from '../../src/auth/api-keys.ts';
import { registerCors, resolveCorsOptions, type CorsOptions } from '../../src/guard/cors.ts';
import { ask, serveApp, type Answer, type App, type AppOptions } from '../auth/app.ts';

const ORIGIN = 'https://app.example';
const KEY = 'a-key';

function serveCors(options: AppOptions = {}): Promise<App> {
  const auth = apiKeys({ keys: [{ principal: 'page', sha256: hashApiKey(KEY) }] });
  return serveApp({ auth, cors: true, allowedOrigins: [ORIGIN], ...options });
}

function preflight(url: string, headers: string, origin = ORIGIN): Promise<Answer> {
  const asked = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': headers,
  };
  return ask(url, { origin, ...asked }, 'OPTIONS');
}

/** Whether a browser would send these headers after this answer. */
function isLetThrough({ status, headers }: Answer, names: string[]): boolean {
  const allowed = String(headers['access-control-allow-headers']).split(/, */);
  return (
    status >= 200 &&
    status < 300 &&
    headers['access-control-allow-origin'] === ORIGIN &&
    names.every((name) => allowed.includes(name))
  );
}

describe('a page of an allowed origin', () => {
  it('may send what MCP clients send, and nobody asks it for a key before', async () => {
    const { url, refusals } = await serveCors();
    const names = [
      'accept',
      'api_key',
      'authorization',
      'content-type',
      'last-event-id',
      'mcp-method',
      'mcp-name',
      'mcp-protocol-version',
      'mcp-session-id',
      'traceparent',
      'x-api-key',
      // Any argument of any tool: the names are the tools'.
      'mcp-param-region',
      'mcp-param-user_id',
    ];
    for (const path of [
      url,
      url.replace(/mcp$/, 'sse'),
      url.replace(/mcp$/, 'messages?sessionId=1'),
    ]) {
      const answer = await preflight(path, names.join(','));
      expect(isLetThrough(answer, names)).toBe(true);
      expect(answer.headers['access-control-allow-methods']).toBe('GET, POST, DELETE');
      expect(answer.headers['access-control-max-age']).toBe('600');
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
      expect(answer.headers['vary']).toContain('Origin');
    }
    expect(refusals()).toEqual([]);
    expect((await ask(url, { origin: ORIGIN, 'x-api-key': KEY })).status).toBe(200);
  });

  it('may read what MCP clients read, also of a refusal', async () => {
    const { url } = await serveCors();
    for (const [key, status] of [
      [KEY, 200],
      ['wrong', 401],
    ] as const) {
      const answer = await ask(url, { origin: ORIGIN, 'x-api-key': key });
      expect(answer.status).toBe(status);
      expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
      expect(answer.headers['access-control-expose-headers']).toBe(
        'mcp-session-id, www-authenticate, retry-after',
      );
    }
  });

  it('may not send other headers, unless the operator says so', async () => {
    const { url } = await serveCors();
    const names = ['x-custom', 'mcp-param-', 'mcp-parameter-x', 'cookie', 'x-forwarded-host'];
    const answer = await preflight(url, names.join(', '));
    for (const name of names) expect(isLetThrough(answer, [name])).toBe(false);
    const cors = {
      allowedHeaders: ['X-Custom'],
      exposedHeaders: ['X-Build'],
      preflightMaxAgeMs: 0,
    };
    const own = await serveCors({ cors });
    const allowed = await preflight(own.url, 'x-custom, authorization');
    expect(isLetThrough(allowed, ['x-custom', 'authorization'])).toBe(true);
    expect(allowed.headers['access-control-max-age']).toBe('0');
    const read = await ask(own.url, { origin: ORIGIN, 'x-api-key': KEY });
    expect(read.headers['access-control-expose-headers']).toMatch(/^mcp-session-id.*, x-build$/);
  });

  it('is told its own origin where every origin is allowed', async () => {
    const { url } = await serveCors({ allowedOrigins: ['*'] });
    expect(isLetThrough(await preflight(url, 'authorization'), ['authorization'])).toBe(true);
  });
});

describe('a page of another origin', () => {
  it.each([
    'https://evil.example',
    'null',
    'https://app.example.evil.example',
    'http://app.example',
  ])('is refused before its preflight: %s', async (origin) => {
    const { url, refusals } = await serveCors();
    const answer = await preflight(url, 'authorization', origin);
    expect(answer.status).toBe(403);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.text).toContain('allowedOrigins');
    expect(refusals()).toMatchObject([{ reason: 'Origin is not in allowedOrigins', origin }]);
  });
});

it('lets no other origin in where no guard comes first', async () => {
  const { url } = await serveCors({ isGuarded: false });
  const answer = await preflight(url, 'authorization', 'https://evil.example');
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  expect(answer.headers['vary']).toContain('Origin');
});

describe('a request that is no preflight', () => {
  it('needs a key, whatever its method', async () => {
    const { url } = await serveCors();
    expect((await ask(url, { origin: ORIGIN }, 'OPTIONS')).status).toBe(401);
    expect((await ask(url, { 'access-control-request-method': 'POST' }, 'OPTIONS')).status).toBe(
      401,
    );
    const post = { origin: ORIGIN, 'access-control-request-method': 'POST' };
    expect((await ask(url, post)).status).toBe(401);
  });

  it('has no such headers where it does not come from a page, or the option is off', async () => {
    const { url } = await serveCors();
    const answer = await ask(url, { 'x-api-key': KEY });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    const off = await serveCors({ cors: false });
    expect(isLetThrough(await preflight(off.url, 'authorization'), ['authorization'])).toBe(false);
  });
});

it('says so where the application has CORS of its own', async () => {
  const app = fastify();
  await app.register(fastifyCors);
  const registered = app.register(async (mount) => {
    registerCors(mount, resolveCorsOptions(true)!, ['*']);
  });
  await expect(registered).rejects.toThrow('cors: the application has registered @fastify/cors');
  await app.close();
});

it('names what is wrong with the option', () => {
  expect(resolveCorsOptions(undefined)).toBeUndefined();
  for (const [cors, message] of [
    ['*', 'cors'],
    [{ origin: '*' }, 'cors.origin'],
    [{ allowedHeaders: 'x' }, 'cors.allowedHeaders'],
    [{ allowedHeaders: ['a b'] }, 'cors.allowedHeaders'],
    [{ exposedHeaders: ['a\r\nb'] }, 'cors.exposedHeaders'],
    [{ preflightMaxAgeMs: -1 }, 'cors.preflightMaxAgeMs'],
  ] as const) {
    expect(() => resolveCorsOptions(cors as unknown as CorsOptions)).toThrow(message);
  }
});
