import Fastify from 'fastify';
import { request } from 'undici';
import { expect, it } from 'vitest';
import { mcp } from '../src/index.ts';
import { PING, endpointOf, listening, post, stream } from './fixture.ts';
import { createSample } from './sample-server.ts';

it.each([
  ['sessionId', false],
  ['session_id', true],
])('keeps a %s out of the log, whatever is asked with it', async (key, toolEvents) => {
  let log = '';
  const app = Fastify({
    logger: { level: 'trace', stream: { write: (line: string) => void (log += line) } },
  });
  await app.register(mcp, { toolEvents, create: () => createSample().server });
  const url = await listening(app);
  const endpoint = await endpointOf(await stream(`${url}/sse`), url);
  const id = new URL(endpoint).searchParams.get(key)!;
  expect((await post(endpoint, PING)).status).toBe(202);
  expect((await post(endpoint, 'not JSON')).status).toBe(400);
  for (const method of ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'] as const) {
    for (const path of ['/sse', '/messages']) {
      if (`${method} ${path}` === 'GET /sse') continue;
      const answer = await request(`${url}${path}?${key}=${id}`, { method });
      await answer.body.dump();
      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    }
  }
  const again = await stream(`${url}/sse?${key}=${id}`);
  await again.nextOf('endpoint');
  await app.close();
  expect(log).toContain('"url":"/messages?');
  expect(log).toContain('"url":"/sse?');
  expect(log).not.toContain(id);
});
