import type { FastifyServerOptions } from 'fastify';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { resolveGuardOptions } from '../../src/guard/guard-options.ts';
import { ask, open, raw, serveApp, type AppOptions } from '../auth/app.ts';

const ALLOWED = { allowedHosts: ['mcp.example'] };
const LOCAL: FastifyServerOptions = { trustProxy: '127.0.0.1' };
const ELSEWHERE: FastifyServerOptions = { trustProxy: '10.0.0.1' };

async function message(
  headers: Record<string, string>,
  options: AppOptions,
): Promise<[number, string, Record<string, unknown>[]]> {
  const { url, refusals } = await serveApp(options);
  const { status, text } = await ask(url, headers);
  return [status, status === 200 ? '' : JSON.parse(text).error.message, refusals()];
}

describe('X-Forwarded-Host', () => {
  it.each<[string, FastifyServerOptions, Record<string, string>, number]>([
    // A proxy that passes Host on, with and without the other header.
    [
      'of a trusted hop, both allowed',
      LOCAL,
      { host: 'mcp.example', 'x-forwarded-host': 'mcp.example' },
      200,
    ],
    ['missing', LOCAL, { host: 'mcp.example' }, 200],
    // A proxy that takes requests for any name, and rewrites Host: it tells of DNS rebinding.
    [
      'of a trusted hop, not allowed',
      LOCAL,
      { host: 'mcp.example', 'x-forwarded-host': 'evil.example' },
      403,
    ],
    [
      'of a trusted hop, the last not allowed',
      LOCAL,
      { host: 'mcp.example', 'x-forwarded-host': 'mcp.example, evil.example' },
      403,
    ],
    [
      'of a trusted hop, the last allowed',
      LOCAL,
      { host: 'mcp.example', 'x-forwarded-host': 'evil.example, mcp.example' },
      200,
    ],
    ['of a trusted hop, empty', LOCAL, { host: 'mcp.example', 'x-forwarded-host': ' ' }, 200],
    // A page on this machine, by DNS rebinding: it comes from 127.0.0.1, as the proxy does.
    [
      'of a page that claims to be a proxy',
      LOCAL,
      { host: 'evil.example', 'x-forwarded-host': 'mcp.example' },
      403,
    ],
    [
      'where everybody is trusted',
      { trustProxy: true },
      { host: 'evil.example', 'x-forwarded-host': 'mcp.example' },
      403,
    ],
    // From others it says nothing, good or bad.
    [
      'of an untrusted hop, not allowed',
      ELSEWHERE,
      { host: 'mcp.example', 'x-forwarded-host': 'evil.example' },
      200,
    ],
    [
      'of an untrusted hop, allowed',
      ELSEWHERE,
      { host: 'evil.example', 'x-forwarded-host': 'mcp.example' },
      403,
    ],
    [
      'where nobody is trusted',
      {},
      { host: 'evil.example', 'x-forwarded-host': 'mcp.example' },
      403,
    ],
    [
      'where nobody is trusted, not allowed',
      {},
      { host: 'mcp.example', 'x-forwarded-host': 'evil.example' },
      200,
    ],
  ])('%s', async (_what, fastify, headers, expected) => {
    const [status, , lines] = await message(headers, { ...ALLOWED, fastify });
    expect(status).toBe(expected);
    expect(lines).toHaveLength(expected === 200 ? 0 : 1);
  });

  it('of an untrusted hop that would be allowed: the answer names both settings', async () => {
    const headers = { host: 'backend:3000', 'x-forwarded-host': 'mcp.example' };
    const [, text, lines] = await message(headers, { ...ALLOWED, fastify: ELSEWHERE });
    expect(text).toMatch(
      /"backend:3000" is not allowed, though X-Forwarded-Host is.*trustProxy.*allowedHosts/,
    );
    expect(lines).toMatchObject([
      {
        level: 40,
        status: 403,
        reqId: expect.any(String),
        reason: 'Host is not in allowedHosts',
        host: 'backend:3000',
        forwardedHost: 'mcp.example',
      },
    ]);
    const [, trusted] = await message(headers, { ...ALLOWED, fastify: LOCAL });
    expect(trusted).toMatch(/It never replaces Host: let the proxy pass Host on, .*allowedHosts/);
    // What the answer advises helps.
    const [status] = await message(headers, {
      allowedHosts: ['mcp.example', 'backend:3000'],
      fastify: LOCAL,
    });
    expect(status).toBe(200);
  });

  it('that is not allowed: the answer names the settings', async () => {
    const headers = { host: 'localhost', 'x-forwarded-host': 'evil.example' };
    const [, text] = await message(headers, { fastify: LOCAL });
    expect(text).toMatch(
      /X-Forwarded-Host "evil.example" is not allowed.*allowedHosts.*trustProxy/,
    );
  });

  it('has the port of the protocol that the same hop names', async () => {
    const options = { allowedHosts: ['localhost', 'mcp.example:443'], fastify: LOCAL };
    const headers = { host: 'localhost', 'x-forwarded-host': 'mcp.example' };
    expect((await message({ ...headers, 'x-forwarded-proto': 'https' }, options))[0]).toBe(200);
    expect((await message({ ...headers, 'x-forwarded-proto': 'http' }, options))[0]).toBe(403);
  });
});

describe('the guard', () => {
  it('reads :authority, and both where HTTP/2 has both', async () => {
    const { app, url } = await serveApp({
      allowedHosts: ['127.0.0.1', 'mcp.example'],
      fastify: { http2: true } as unknown as FastifyServerOptions,
    });
    const session = connect(url);
    open.push(async () => session.destroy());
    const status = async (headers: Record<string, string>): Promise<unknown> => {
      const stream = session.request({ ':path': '/mcp', ':method': 'POST', ...headers }).end();
      const [answer] = (await once(stream, 'response')) as [Record<string, unknown>];
      stream.resume();
      return answer[':status'];
    };
    expect(await status({ ':authority': 'mcp.example' })).toBe(200);
    expect(await status({ ':authority': 'evil.example' })).toBe(403);
    expect(await status({ ':authority': 'mcp.example', host: 'evil.example' })).toBe(403);
    expect(await status({ ':authority': 'evil.example', host: 'mcp.example' })).toBe(403);
    expect(app.server.listening).toBe(true);
  });

  it.each([
    ['host', 'Host: evil.example'],
    ['authorization', 'Authorization: Bearer a\r\nauthorization: Bearer a'],
    ['x-api-key', 'X-Api-Key: a\r\nx-api-key: b'],
    ['mcp-session-id', 'Mcp-Session-Id: a\r\nmcp-session-id: b'],
    ['last-event-id', 'Last-Event-ID: 1\r\nlast-event-id: 2'],
  ])('refuses %s twice', async (name, lines) => {
    const { url, refusals } = await serveApp();
    const head = `GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}\r\n\r\n`;
    const answer = await raw(url, head);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain(`more than one ${name} header`);
    expect(refusals()).toMatchObject([{ status: 400, reason: 'repeated header', header: name }]);
  });

  it('logs hosts and origins cut, in one line', async () => {
    const { url, lines } = await serveApp();
    expect((await ask(url, { origin: `http://evil.example/${'x'.repeat(5_000)}` })).status).toBe(
      403,
    );
    const [line] = lines.filter(({ msg }) => msg === 'request refused');
    expect(line).toMatchObject({ reason: 'Origin is not in allowedOrigins' });
    expect(String(line?.['origin']).length).toBe(200);
  });

  it('names what is wrong with its options', () => {
    expect(() => resolveGuardOptions({ allowedHosts: 'localhost' as unknown as string[] })).toThrow(
      'allowedHosts',
    );
    expect(() => resolveGuardOptions({ allowedHosts: ['http://x'] })).toThrow('allowedHosts');
    expect(() => resolveGuardOptions({ allowedOrigins: [7 as unknown as string] })).toThrow(
      'allowedOrigins',
    );
  });
});
