import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { Live } from '../../src/dash/live.ts';
import { servePage, type PageServer } from '../../src/dash/page-server.ts';
import { OpenPage, send } from './page.ts';

expectNothingLeftOpen();

let directory: string;
let live: Live;
let server: PageServer;
let page: OpenPage;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longwire-page-'));
  live = new Live();
  server = await servePage(live, { directory });
  page = new OpenPage(server.url);
});
afterEach(async () => {
  await server.close();
  await live.close();
  await rm(directory, { recursive: true, force: true });
});

describe('who is served', () => {
  const refused: Record<string, [Parameters<typeof send>[1], number]> = {
    'nobody without the token': [{}, 401],
    'nobody with another token': [{ headers: { authorization: 'Bearer x' } }, 401],
    'nobody with the cookie of another port': [
      { headers: { cookie: 'longwire_page_1=TOKEN' } },
      401,
    ],
    'no other host': [{ headers: { ...token(), host: 'evil.example' } }, 403],
    'no other port of this machine': [{ headers: { ...token(), host: '127.0.0.1:1' } }, 403],
    'no other origin': [{ headers: { ...token(), origin: 'http://evil.example' } }, 403],
    'no page without an origin': [{ headers: { ...token(), origin: 'null' } }, 403],
  };
  it.each(Object.entries(refused))('%s', async (_what, [request, status]) => {
    for (const path of ['/', '/api/stream', '/api/recording', '/assets/page.js']) {
      const headers = Object.fromEntries(
        Object.entries(request?.headers ?? {}).map(([name, value]) => [
          name,
          String(value).replace('TOKEN', page.token),
        ]),
      );
      const answer = await send(page.origin + path, { ...request, headers });
      expect(answer.status).toBe(status);
      expect(answer.body).not.toContain(page.token);
    }
  });

  it('no form of another page, and nothing that lacks the header or is no JSON', async () => {
    const json = { 'content-type': 'application/json', 'x-longwire-page': '1' };
    const own = { authorization: `Bearer ${page.token}`, ...json };
    const status = async (headers: object): Promise<number> =>
      (await send(`${page.origin}/api/call`, { method: 'POST', headers, body: '{}' })).status;
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    // A browser sends it where the cookie is not kept to its own site.
    const cookie = `longwire_page_${new URL(page.origin).port}=${page.token}`;
    expect(await status({ cookie, origin: 'http://evil.example', ...form })).toBe(403);
    expect(await status({ cookie, ...form })).toBe(403);
    expect(await status({ ...own, 'x-longwire-page': '0' })).toBe(403);
    expect(await status({ ...own, ...form })).toBe(415);
    expect(await status({ ...own, origin: page.origin })).toBe(400);
  });

  it('whoever opens the address: once with a token that is good once', async () => {
    const launch = server.createLaunchUrl();
    expect(launch).not.toContain(page.token);
    for (const url of [launch, server.url, server.url]) {
      const { status, headers } = await send(url);
      expect([status, headers.location]).toEqual([303, '/']);
      const [cookie = ''] = headers['set-cookie'] ?? [];
      expect(cookie).toMatch(/^longwire_page_\d+=\S+; HttpOnly; SameSite=Strict; Path=\/$/);
      const opened = await send(page.origin, { headers: { cookie: cookie.split(';')[0] } });
      expect(opened.status).toBe(503);
    }
    expect((await send(launch)).status).toBe(401);
  });
});

describe('what is served', () => {
  it('says so where the page is not there', async () => {
    const { status, body, headers } = await page.get('/');
    expect([status, headers['content-type']]).toEqual([503, 'text/plain; charset=utf-8']);
    expect(body).toContain('not part of this build');
  });

  it('the files of the page and no others, with what keeps it from everywhere else', async () => {
    await mkdir(join(directory, 'assets'));
    await writeFile(join(directory, 'index.html'), '<!doctype html>');
    await writeFile(join(directory, 'secret.js'), 'no');
    await writeFile(join(directory, 'assets', 'page-1a2b.js'), 'yes');
    const index = await page.get('/');
    expect([index.status, index.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(index.headers['content-security-policy']).toContain("default-src 'self'");
    expect(index.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(await page.get('/assets/page-1a2b.js')).toMatchObject({ status: 200, body: 'yes' });
    for (const path of ['/assets/..%2fsecret.js', '/assets/%2e%2e/secret.js', '/secret.js']) {
      expect((await page.get(path)).status).toBe(404);
    }
  });

  it('nothing where the address is none', async () => {
    expect((await send(`${page.origin}//[`)).status).toBe(401);
    expect((await page.get('//[')).status).toBe(404);
  });

  it('errors as JSON', async () => {
    const error = async (path: string, body: unknown): Promise<[number, string]> => {
      const answer = await page.post(path, body);
      return [answer.status, (JSON.parse(answer.body) as { error: { code: string } }).error.code];
    };
    const call = { server: 'no such', method: 'tools/call', name: 'x' };
    expect(await error('/api/call', call)).toEqual([404, 'not-found']);
    expect(await error('/api/call', { ...call, method: 'ping' })).toEqual([400, 'invalid-request']);
    expect(await error('/api/calls/7/cancel', {})).toEqual([404, 'not-found']);
    expect(await error('/api/replay', { at: 1 })).toEqual([409, 'live']);
    expect(await error('/api/nothing', {})).toEqual([404, 'not-found']);
    expect((await page.get('/api/calls/7')).status).toBe(404);
  });
});

function token(): object {
  return { authorization: 'Bearer TOKEN' };
}
