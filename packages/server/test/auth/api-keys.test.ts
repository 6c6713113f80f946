import { describe, expect, it } from 'vitest';
import { apiKeys, hashApiKey, type ApiKeysOptions } from '../../src/auth/api-keys.ts';
import { MemoryRevocationStore } from '../../src/auth/revocation-store.ts';
import type { RateStore } from '../../src/limits/rate-store.ts';
import { CountingStore, ask, raw, serveApp, type App } from './app.ts';

const KEY = 'k-4f1c9d2e7a60b8355c1d';
const OTHER = 'k-aa10c3f2d98e47b6605f';
const KEYS: ApiKeysOptions = {
  keys: [
    { principal: 'other', sha256: hashApiKey(OTHER) },
    { principal: 'ada', sha256: hashApiKey(KEY).toUpperCase(), scopes: ['files:read'] },
  ],
};

function serveKeys(): Promise<App> {
  return serveApp({ auth: apiKeys(KEYS) });
}

describe('an API key', () => {
  it.each([
    ['Authorization: Bearer', { authorization: `Bearer ${KEY}` }],
    ['Authorization: bearer, two spaces', { authorization: `bearer  ${KEY}` }],
    ['x-api-key', { 'x-api-key': KEY }],
    ['api_key', { api_key: KEY }],
    ['all three, equal', { authorization: `Bearer ${KEY}`, 'x-api-key': KEY, api_key: KEY }],
    ['x-api-key, beside a proxy of basic', { authorization: 'Basic YTpi', 'x-api-key': KEY }],
    ['x-api-key, spaces around it, which are no part of a header', { 'x-api-key': `  ${KEY}  ` }],
  ])('is taken as %s', async (_how, headers) => {
    const { url, refusals } = await serveKeys();
    const answer = await ask(url, headers);
    expect(answer.status).toBe(200);
    const authInfo = { token: '', clientId: 'ada', scopes: ['files:read'] };
    expect(JSON.parse(answer.text)).toEqual({ id: 'ada', authInfo });
    expect(refusals()).toEqual([]);
  });

  it('says the same of every wrong key, in answers, and nothing of it in the log', async () => {
    const { url, lines, refusals } = await serveKeys();
    const wrong: Record<string, string>[] = [
      {},
      { 'x-api-key': '' },
      { 'x-api-key': `${KEY}x` },
      { 'x-api-key': KEY.slice(0, -1) },
      { 'x-api-key': `${KEY.slice(0, 4)} ${KEY.slice(4)}` },
      { 'x-api-key': KEY.toUpperCase() },
      { 'x-api-key': hashApiKey(KEY) },
      { 'x-api-key': `${KEY},${KEY}` },
      { 'x-api-key': 'schl\u00fcssel' },
      { 'x-api-key': 'x'.repeat(12_000) },
      { api_key: 'undefined' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer ' },
      { authorization: `Bearer ${KEY} ${KEY}` },
      { authorization: `Basic ${KEY}` },
      { authorization: KEY },
      { apikey: KEY },
    ];
    const answers = [];
    for (const headers of wrong) answers.push(await ask(url, headers));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    for (const { status, headers } of answers) {
      expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
    }
    expect(answers[0]?.text).toMatch(/Bearer, x-api-key or api_key/);
    expect(refusals()).toHaveLength(wrong.length);
    for (const { reqId, reason, status } of refusals()) {
      expect([typeof reqId, typeof reason, status]).toEqual(['string', 'string', 401]);
    }
    expect(refusals()[0]).toMatchObject({ level: 30, reason: 'no API key' });
    expect(refusals()[2]).toMatchObject({ level: 40, reason: 'unknown API key' });
    expect(JSON.stringify(lines)).not.toContain(KEY.slice(2, 12));
  });

  it.each([
    { authorization: `Bearer ${KEY}`, 'x-api-key': OTHER },
    { 'x-api-key': KEY, api_key: 'other' },
    { 'x-api-key': KEY, authorization: 'Bearer a b' },
  ])('is refused beside another one', async (headers) => {
    const { url, refusals } = await serveKeys();
    const answer = await ask(url, headers);
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/two different API keys/);
    expect(refusals()).toMatchObject([{ status: 400, reason: 'two different API keys' }]);
  });
});

describe('headers that two readers read in two ways', () => {
  it.each([
    ['two Authorization', `Authorization: Bearer ${KEY}\r\nAuthorization: Bearer other`],
    ['two equal x-api-key', `x-api-key: ${KEY}\r\nX-API-Key: ${KEY}`],
    ['a bare line feed in the value', `x-api-key: ${KEY}\nhost: evil.example`],
    ['a bare carriage return in the value', `x-api-key: ${KEY}\rx-evil: 1`],
    ['a zero byte', `x-api-key: ${KEY}\0`],
    ['a space before the colon', `x-api-key : ${KEY}`],
    ['a folded line', `x-api-key:\r\n ${KEY}x`],
  ])('are not taken: %s', async (_what, lines) => {
    const { url } = await serveKeys();
    const head = `GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}\r\n\r\n`;
    expect(await raw(url, head)).toMatch(/^HTTP\/1\.1 40[01] /);
  });

  it('are refused by the authenticator alone, too', async () => {
    // Node's `headers` have the first of the two.
    const { url } = await serveApp({ auth: apiKeys(KEYS), isGuarded: false });
    const head = `GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nauthorization: Bearer ${KEY}\r\nAuthorization: Bearer x\r\n\r\n`;
    expect(await raw(url, head)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('reads a UTF-8 key as no key', async () => {
    const { url } = await serveKeys();
    const bytes = Buffer.from('schl\u00fcssel').toString('latin1');
    const head = `GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nx-api-key: ${bytes}\r\n\r\n`;
    expect(await raw(url, head)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('ends at the limit of Node for headers', async () => {
    const { url } = await serveKeys();
    expect((await ask(url, { 'x-api-key': 'x'.repeat(40_000) })).status).toBe(431);
  });
});

describe('the configuration of keys', () => {
  const sha256 = hashApiKey(KEY);
  it.each<[string, unknown]>([
    ['apiKeys must be an object', undefined],
    ['apiKeys.keys must be', { keys: [] }],
    ['apiKeys.keys must be', { keys: { 0: { principal: 'a', sha256 } } }],
    ['apiKeys.key is not an option', { key: KEY }],
    ['apiKeys.keys[0] must be an object', { keys: [KEY] }],
    ['apiKeys.keys[0].key is not an option', { keys: [{ principal: 'a', key: KEY }] }],
    ['apiKeys.keys[0].sha256', { keys: [{ principal: 'a', sha256: KEY }] }],
    ['apiKeys.keys[0].sha256', { keys: [{ principal: 'a', sha256: `${sha256}0` }] }],
    ['apiKeys.keys[0].principal', { keys: [{ principal: '', sha256 }] }],
    ['apiKeys.keys[0].principal', { keys: [{ principal: 'a\nb', sha256 }] }],
    ['apiKeys.keys[0].scopes', { keys: [{ principal: 'a', sha256, scopes: ['a b'] }] }],
    [
      'apiKeys.keys[1].sha256',
      {
        keys: [
          { principal: 'a', sha256 },
          { principal: 'b', sha256: sha256.toUpperCase() },
        ],
      },
    ],
  ])('names what is wrong, and no key: %s', (message, options) => {
    const make = (): unknown => apiKeys(options as ApiKeysOptions);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(KEY);
  });

  it('hashes only what a header carries', () => {
    expect(hashApiKey('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    for (const key of ['', ' a', 'a b', 'sch\u00fc', 'a\n', undefined as unknown as string]) {
      expect(() => hashApiKey(key)).toThrow(TypeError);
    }
  });
});

describe('a key tried in a loop', () => {
  it('is answered with 429 before it is looked at, while nobody else is', async () => {
    const rates = new CountingStore();
    const { url, refusals } = await serveApp({
      auth: apiKeys(KEYS),
      rates,
      attempts: { max: 3, windowMs: 60_000 },
      fastify: { trustProxy: '127.0.0.1' },
    });
    const from = (address: string, headers: Record<string, string>): ReturnType<typeof ask> =>
      ask(url, { ...headers, 'x-forwarded-for': address });
    for (let count = 0; count < 5; count += 1) {
      // Without a key it is no attempt.
      expect((await from('2001:db8::1', {})).status).toBe(401);
    }
    for (const key of ['a', 'b', 'c']) {
      expect((await from('2001:db8::1', { 'x-api-key': key })).status).toBe(401);
    }
    // Another address of the same network, with the right key: still not looked at.
    const blocked = await from('2001:db8::2', { 'x-api-key': KEY });
    expect(blocked.status).toBe(429);
    expect(Number(blocked.headers['retry-after'])).toBeGreaterThan(0);
    expect(refusals().at(-1)).toMatchObject({
      level: 40,
      status: 429,
      address: '2001:db8::2',
      reason: 'too many failed attempts of this address',
    });
    expect((await from('2001:db8:0:1::1', { 'x-api-key': KEY })).status).toBe(200);
    expect(rates.counts.get('auth:8193:3512:0:0')).toBe(3);
  });

  it('is stopped where the attempts come at a time, too', async () => {
    const { url } = await serveApp({ auth: apiKeys(KEYS), rates: new CountingStore() });
    const attempts = Array.from({ length: 200 }, (_none, at) =>
      ask(url, { api_key: `guess-${at}` }),
    );
    const statuses = (await Promise.all(attempts)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(180);
  });

  it('stays refused, and the others let in, when attempts cannot be counted', async () => {
    const rates: RateStore = {
      take: async () => {
        throw new Error('the store is away');
      },
    };
    const { url, lines } = await serveApp({ auth: apiKeys(KEYS), rates });
    expect((await ask(url, { api_key: 'guess' })).status).toBe(401);
    expect((await ask(url, { api_key: KEY })).status).toBe(200);
    expect(lines.map(({ msg }) => msg)).toContain('failed attempts cannot be counted');
  });

  it('counts no good key', async () => {
    const rates = new CountingStore();
    const { url } = await serveApp({
      auth: apiKeys(KEYS),
      rates,
      attempts: { max: 1, windowMs: 1_000 },
    });
    for (let count = 0; count < 5; count += 1) {
      expect((await ask(url, { 'x-api-key': KEY })).status).toBe(200);
    }
    expect(rates.counts.size).toBe(0);
  });
});

describe('a revoked API key', () => {
  it('is refused like one that never was, and the others are taken', async () => {
    const auth = apiKeys(KEYS);
    const { url, lines, refusals } = await serveApp({ auth });
    expect((await ask(url, { 'x-api-key': KEY })).status).toBe(200);
    const unknown = await ask(url, { 'x-api-key': `${KEY}x` });
    await auth.revoke(hashApiKey(KEY).toUpperCase());
    const refused = await ask(url, { 'x-api-key': KEY });
    expect([refused.status, refused.text]).toEqual([401, unknown.text]);
    expect((await ask(url, { 'x-api-key': OTHER })).status).toBe(200);
    expect(refusals().at(-1)).toMatchObject({ reason: 'revoked API key' });
    expect(JSON.stringify(lines)).not.toContain(hashApiKey(KEY));
  });

  it('is refused by whoever shares its store, also from the start', async () => {
    const revocations = new MemoryRevocationStore();
    const auth = apiKeys(KEYS);
    await serveApp({ auth, revocations });
    const other = await serveApp({ auth: apiKeys(KEYS), revocations });
    expect((await ask(other.url, { 'x-api-key': KEY })).status).toBe(200);
    await auth.revoke(hashApiKey(KEY));
    const later = await serveApp({ auth: apiKeys(KEYS), revocations });
    for (const { url } of [other, later]) {
      expect((await ask(url, { 'x-api-key': KEY })).status).toBe(401);
      expect((await ask(url, { 'x-api-key': OTHER })).status).toBe(200);
    }
  });

  it('is named by its hash, and by nothing else', async () => {
    const auth = apiKeys(KEYS);
    for (const wrong of [KEY, '', undefined as unknown as string]) {
      const revoking = auth.revoke(wrong);
      await expect(revoking).rejects.toThrow('64 hexadecimal digits');
      await expect(revoking).rejects.not.toThrow(KEY);
    }
  });
});
