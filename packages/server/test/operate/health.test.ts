import Fastify from 'fastify';
import { request } from 'undici';
import { expect, it } from 'vitest';
import { registerHealth, type NotReady } from '../../src/operate/health.ts';
import { listening } from '../fixture.ts';

async function asked(url: string, method: 'GET' | 'HEAD' = 'GET') {
  const { statusCode, headers, body } = await request(url, { method });
  return { status: statusCode, cache: headers['cache-control'], text: await body.text() };
}

it('says that the process lives, and whether it takes work, for GET and HEAD', async () => {
  let state: true | NotReady = true;
  const app = Fastify({ exposeHeadRoutes: false });
  registerHealth(app, { isReady: () => state });
  const url = await listening(app);
  const ok = { status: 200, cache: 'no-store', text: '{"status":"ok"}' };
  expect(await asked(`${url}/healthz`)).toEqual(ok);
  expect(await asked(`${url}/readyz`)).toEqual(ok);
  for (state of ['stopping', 'overloaded'] as const) {
    expect(await asked(`${url}/healthz`)).toEqual(ok);
    const answer = { status: 503, cache: 'no-store', text: JSON.stringify({ status: state }) };
    expect(await asked(`${url}/readyz`)).toEqual(answer);
    expect(await asked(`${url}/readyz`, 'HEAD')).toEqual({ ...answer, text: '' });
  }
});

it('is ready when each mount is, and leaves a path to the application that has it', async () => {
  let isSecondReady: true | NotReady = 'overloaded';
  const app = Fastify();
  app.get('/healthz', async () => 'mine');
  registerHealth(app, { isReady: () => true });
  // Each mount is registered within a context of its own.
  await app.register(async (mount) => {
    registerHealth(mount, { isReady: () => isSecondReady });
  });
  const url = await listening(app);
  expect((await asked(`${url}/healthz`)).text).toBe('mine');
  expect((await asked(`${url}/readyz`)).status).toBe(503);
  isSecondReady = true;
  expect((await asked(`${url}/readyz`)).status).toBe(200);
});

it('has no line in a log of level info', async () => {
  const lines: string[] = [];
  const app = Fastify({
    logger: { level: 'info', stream: { write: (line: string) => void lines.push(line) } },
  });
  registerHealth(app, { isReady: () => true });
  const url = await listening(app);
  const before = lines.length;
  await asked(`${url}/readyz`);
  await asked(`${url}/nothing`);
  const urls = lines.slice(before).map((line) => /"url":"([^"]*)"/.exec(line)?.[1]);
  expect(urls).toContain('/nothing');
  expect(urls).not.toContain('/readyz');
});
