import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance } from 'fastify';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { registerAddressRates } from '../../src/limits/address-rates.ts';
import { MemoryRateStore } from '../../src/limits/memory-rate-store.ts';
import { resolveRates } from '../../src/limits/rates.ts';

const open: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

const LIMITED = resolveRates({ perAddress: { max: 3, windowMs: 60_000 } });

/** An application with a mount whose addresses are limited before it authenticates. */
async function mounted(
  prepare: (app: FastifyInstance) => Promise<void> = async () => {},
): Promise<{ url: string; authenticated: string[] }> {
  const app = fastify({ trustProxy: true });
  open.push(app);
  const authenticated: string[] = [];
  await prepare(app);
  await app.register(
    async (mount) => {
      await registerAddressRates(mount, LIMITED, new MemoryRateStore());
      mount.addHook('onRequest', async ({ url }) => void authenticated.push(url));
      mount.get('/sse', (_request, reply) => {
        reply.hijack();
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
        reply.raw.write(': here\n\n');
      });
      mount.post('/mcp', async () => ({}));
    },
    { prefix: '/api' },
  );
  app.get('/healthz', async () => ({}));
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), authenticated };
}

async function post(
  url: string,
  from: string,
): Promise<{ status: number; body: string; retryAfter: unknown }> {
  const answer = await request(`${url}/api/mcp`, {
    method: 'POST',
    headers: { 'x-forwarded-for': from, 'content-type': 'application/json' },
    body: '{}',
  });
  return {
    status: answer.statusCode,
    body: await answer.body.text(),
    retryAfter: answer.headers['retry-after'],
  };
}

describe('rates of addresses', () => {
  it('refuse before the client is authenticated, with a JSON-RPC error', async () => {
    const { url, authenticated } = await mounted();
    for (let at = 0; at < 3; at++) expect((await post(url, '10.0.0.1')).status).toBe(200);
    const refused = await post(url, '10.0.0.1');
    expect(refused).toMatchObject({ status: 429, retryAfter: '20' });
    expect(JSON.parse(refused.body)).toMatchObject({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32_000, message: expect.stringContaining('rates.perAddress') as string },
    });
    expect(authenticated).toHaveLength(3);
    expect((await post(url, '10.0.0.2')).status).toBe(200);
  });

  it('count an IPv6 network of 64 bits as one address', async () => {
    const { url } = await mounted();
    for (let at = 1; at <= 3; at++) {
      expect((await post(url, `2001:db8:1:2::${at}`)).status).toBe(200);
    }
    expect((await post(url, '2001:db8:1:2:ffff::9')).status).toBe(429);
    expect((await post(url, '2001:db8:1:3::1')).status).toBe(200);
  });

  it('count a stream once, and nothing outside the mount', async () => {
    const { url } = await mounted();
    const headers = { 'x-forwarded-for': '10.0.0.1' };
    const stream = await request(`${url}/api/sse`, { headers });
    expect(stream.statusCode).toBe(200);
    expect((await post(url, '10.0.0.1')).status).toBe(200);
    expect((await post(url, '10.0.0.1')).status).toBe(200);
    expect((await post(url, '10.0.0.1')).status).toBe(429);
    for (let at = 0; at < 5; at++) {
      const { statusCode, body } = await request(`${url}/healthz`, { headers });
      await body.dump();
      expect(statusCode).toBe(200);
    }
    stream.body.on('error', () => {});
    stream.body.destroy();
  });

  it('are their own where the application limits its rates with the same plugin', async () => {
    const { url } = await mounted(async (app) => {
      await app.register(rateLimit, { max: 1_000, timeWindow: 60_000 });
    });
    for (let at = 0; at < 3; at++) expect((await post(url, '10.0.0.1')).status).toBe(200);
    expect((await post(url, '10.0.0.1')).status).toBe(429);
  });
});
