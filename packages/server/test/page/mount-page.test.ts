import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import {
  apiKeys,
  hashApiKey,
  type Call,
  type MountPage,
  type ObservedNotification,
  type Principal,
} from '../../src/index.ts';
import { call, opened, open, post, serving } from '../fixture.ts';
import { request } from 'undici';

const key = 'a-key';
const auth = apiKeys({ keys: [{ principal: 'ann', sha256: hashApiKey(key) }] });

/** A page that writes down what it is told. */
class FakePage implements MountPage {
  readonly told: string[] = [];
  readonly asked: Principal[] = [];
  allow: MountPage['allow'] = (principal) => {
    this.asked.push(principal);
    return true;
  };

  watch({ prefix }: { prefix: string }) {
    this.told.push(`watches ${prefix}`);
    const tell = (what: string): void => void this.told.push(what);
    return {
      gate: {
        admit: ({ method }: Call) => {
          tell(`came ${method}`);
          return undefined;
        },
        leave: ({ method }: Call) => tell(`left ${method}`),
      },
      observer: {
        notificationSent: ({ method }: ObservedNotification, of: Call | undefined) =>
          tell(`said ${method} of ${of?.method}`),
      },
      register: (app: FastifyInstance) => {
        app.get('/', async () => 'the page');
        app.post('/', async () => 'done');
      },
      close: () => tell('closed'),
    };
  }
}

async function statusOf(url: string, headers: Record<string, string>, method = 'GET') {
  const { statusCode, body } = await request(url, { method, headers } as never);
  return [statusCode, await body.text()] as const;
}

describe('a page', () => {
  it('is for whoever the mount knows and the page allows', async () => {
    const page = new FakePage();
    const { mcpUrl } = await serving({ auth, page, prefix: '/api' });
    const url = mcpUrl.replace(/mcp$/, 'page');
    expect(page.told).toEqual(['watches /api']);
    expect(await statusOf(url, {})).toMatchObject([401, expect.stringContaining('API key')]);
    expect(page.asked).toEqual([]);
    expect(await statusOf(url, { 'x-api-key': key })).toEqual([200, 'the page']);
    expect(page.asked).toMatchObject([{ id: 'ann' }]);
    // Nothing but `true` lets in.
    for (const answer of [false, undefined, 1, 'yes']) {
      page.allow = () => answer as never;
      expect(await statusOf(url, { 'x-api-key': key })).toMatchObject([403, expect.anything()]);
    }
    page.allow = () => Promise.reject(new Error('a secret of the database'));
    const [status, text] = await statusOf(url, { 'x-api-key': key });
    expect([status, text]).toEqual([500, expect.not.stringContaining('secret')]);
  });

  const refused: Record<string, Record<string, string>> = {
    'another host': { host: 'evil.example' },
    'a page of another origin': { origin: 'http://evil.example' },
    'a page that may call tools': { origin: 'https://app.example' },
    'a page of another port': { origin: 'http://127.0.0.1:1' },
    'a page in a sandbox': { origin: 'null' },
    'a picture in another page': { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    'a page of a neighbour': { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' },
  };
  it.each(Object.entries(refused))('is not for %s', async (_whom, headers) => {
    const page = new FakePage();
    const { mcpUrl } = await serving({
      page,
      allowedOrigins: ['https://app.example', '127.0.0.1'],
    });
    const url = mcpUrl.replace(/mcp$/, 'page');
    expect(await statusOf(url, headers)).toMatchObject([403, expect.anything()]);
    expect(page.asked).toEqual([]);
  });

  it('is for its own requests, and for a link to it', async () => {
    const { mcpUrl } = await serving({ page: new FakePage() });
    const url = mcpUrl.replace(/mcp$/, 'page');
    const { origin } = new URL(url);
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect(await statusOf(url, link)).toEqual([200, 'the page']);
    // A form of another page is a navigation, too.
    expect(await statusOf(url, link, 'POST')).toMatchObject([403, expect.anything()]);
    const own = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', origin };
    expect(await statusOf(url, own, 'POST')).toEqual([200, 'done']);
  });

  it('is told what comes, what is said, and what leaves, even what is refused', async () => {
    const page = new FakePage();
    const gates = [
      {
        admit: ({ target }: Call) =>
          target === 'wait' ? { status: 429, code: -32_000, message: 'no' } : undefined,
      },
    ];
    const { mcpUrl, samples, close } = await serving({ page, gates });
    const headers = await opened(mcpUrl);
    page.told.splice(0);
    expect((await post(mcpUrl, call(1, 'wait'), headers)).status).toBe(429);
    expect(page.told).toEqual(['came tools/call', 'left tools/call']);
    page.told.splice(0);
    samples[0]?.release();
    const message = { ...call(2, 'count', { to: 1 }) } as { params: object };
    Object.assign(message.params, { _meta: { progressToken: 7 } });
    await post(mcpUrl, message, headers);
    expect(page.told.slice(0, 2)).toEqual([
      'came tools/call',
      'said notifications/progress of tools/call',
    ]);
    expect(page.told.at(-1)).toBe('left tools/call');
    open.splice(0);
    await close();
    expect(page.told).toContain('closed');
  });
});
