import Fastify from 'fastify';
import { createHash } from 'node:crypto';
import { request } from 'undici';
import { expect, it } from 'vitest';
import { requestForLog, sessionDigest, sessionLog, withoutSecrets } from '../../src/operate/log.ts';
import { listening } from '../fixture.ts';

it.each([
  ['/messages?sessionId=abc', '/messages?sessionId=[redacted]'],
  ['/messages?a=1&session_id=abc&b=2', '/messages?a=1&session_id=[redacted]&b=2'],
  ['/sse?resume=abc#x', '/sse?resume=[redacted]#x'],
  ['/sse?%72esume=abc', '/sse?%72esume=[redacted]'],
  ['/sse?SESSIONID=abc&RESUME=def', '/sse?SESSIONID=[redacted]&RESUME=[redacted]'],
  ['/messages;sessionId=abc', '/messages;sessionId=[redacted]'],
  ['/sse?resume=abc&resume=def', '/sse?resume=[redacted]&resume=[redacted]'],
  ['/sse?%=1&%E0%A4=2&tenant=a', '/sse?%=1&%E0%A4=2&tenant=a'],
  ['/sse', '/sse'],
])('%s is logged as %s', (url, logged) => {
  expect(withoutSecrets(url)).toBe(logged);
});

it('a session is named by a digest, in every line of its log', async () => {
  const id = 'an-id-that-is-secret';
  const lines: string[] = [];
  const app = Fastify({ logger: { stream: { write: (line: string) => void lines.push(line) } } });
  app.get('/sse', { logSerializers: { req: requestForLog } }, async (asked) => {
    sessionLog(asked.log, id).info('opened');
    return 'ok';
  });
  const url = await listening(app);
  await (await request(`${url}/sse?tenant=a&sessionId=${id}`)).body.dump();
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 12);
  expect(sessionDigest(id)).toBe(digest);
  const opened = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'opened');
  expect(opened).toMatchObject({ session: digest, reqId: expect.any(String) });
  expect(lines.join('')).toContain('"url":"/sse?tenant=a&sessionId=[redacted]"');
  expect(lines.join('')).not.toContain(id);
});
