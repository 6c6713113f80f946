import { describe, expect, it } from 'vitest';
import { apiKeys, hashApiKey } from '../../src/auth/api-keys.ts';
import { exchangeToken, type ExchangeTokenOptions } from '../../src/auth/exchange-token.ts';
import { jwt } from '../../src/auth/jwt.ts';
import { RefusedError } from '../../src/refusal.ts';
import { ask, serveApp, type App } from './app.ts';
import { AUDIENCE, bearer, startIssuer, type Issuer } from './issuer.ts';

const NOW = Math.floor(Date.now() / 1_000);

async function serveExchange(
  exchange: ExchangeTokenOptions['exchange'],
  options: Partial<ExchangeTokenOptions> = {},
): Promise<App & { issuer: Issuer }> {
  const issuer = await startIssuer();
  const inner = jwt({ issuer: issuer.url, audience: AUDIENCE, jwks: issuer.jwks, scopes: ['mcp'] });
  return { ...(await serveApp({ auth: exchangeToken(inner, { exchange, ...options }) })), issuer };
}

describe('the exchange of a token', () => {
  it('gives tools another token, and keeps who and what is allowed', async () => {
    const { url, issuer } = await serveExchange((principal, request) => ({
      token: `upstream for ${principal.id.split('#')[1]} at ${request.headers.host?.split(':')[0]}`,
      clientId: 'this server',
      scopes: ['everything'],
      expiresAt: NOW + 60,
      extra: { upstream: 'crm' },
    }));
    const token = await issuer.token({ scope: 'mcp', client_id: 'inspector' });
    const { text } = await ask(url, bearer(token));
    expect(JSON.parse(text)).toMatchObject({
      id: `${issuer.url}#ada`,
      authInfo: {
        token: 'upstream for ada at 127.0.0.1',
        clientId: 'inspector',
        scopes: ['mcp'],
        expiresAt: NOW + 60,
        resourceMetadataUrl: expect.stringContaining('/.well-known/'),
        extra: { upstream: 'crm', claims: { sub: 'ada' } },
      },
    });
    expect(text).not.toContain(token);
  });

  it('is done once for requests that come at a time, and for those that come later', async () => {
    let exchanges = 0;
    let finish = (_token: string): void => {};
    const { url, issuer, app } = await serveExchange(() => {
      exchanges += 1;
      return new Promise<string>((resolve) => {
        finish = resolve;
      });
    });
    let arrived = 0;
    const all = new Promise<void>((resolve) => {
      app.server.on('request', () => {
        arrived += 1;
        if (arrived === 10) resolve();
      });
    });
    const headers = bearer(await issuer.token({ scope: 'mcp' }));
    const answers = Promise.all(Array.from({ length: 10 }, () => ask(url, headers)));
    await all;
    await expect.poll(() => exchanges).toBe(1);
    finish('one');
    for (const { text } of await answers) expect(JSON.parse(text).authInfo.token).toBe('one');
    expect(JSON.parse((await ask(url, headers)).text).authInfo.token).toBe('one');
    expect(exchanges).toBe(1);
  });

  it('is done anew for another token, another principal, and a token that ends', async () => {
    const exchanged: string[] = [];
    const { url, issuer } = await serveExchange(
      ({ id, authInfo }) => {
        exchanged.push(id.split('#')[1] ?? '');
        const isShort = authInfo?.scopes.includes('short');
        return { token: `t${exchanged.length}`, expiresAt: NOW + (isShort ? 10 : 900) };
      },
      { renewBeforeMs: 30_000 },
    );
    const first = bearer(await issuer.token({ scope: 'mcp' }));
    const second = bearer(await issuer.token({ scope: 'mcp', jti: 'second' }));
    const grace = bearer(await issuer.token({ scope: 'mcp', sub: 'grace' }));
    const short = bearer(await issuer.token({ scope: 'mcp short', sub: 'short' }));
    const tokens = [];
    for (const headers of [first, second, grace, first, grace, short, short]) {
      tokens.push(JSON.parse((await ask(url, headers)).text).authInfo.token);
    }
    expect(exchanged).toEqual(['ada', 'ada', 'grace', 'short', 'short']);
    expect(tokens).toEqual(['t1', 't2', 't3', 't1', 't3', 't4', 't5']);
  });

  it('is asked for nobody who is not authenticated', async () => {
    let exchanges = 0;
    const { url, issuer } = await serveExchange(() => `t${(exchanges += 1)}`);
    const good = bearer(await issuer.token({ scope: 'mcp' }));
    expect((await ask(url, good)).status).toBe(200);
    const expired = bearer(await issuer.token({ scope: 'mcp', exp: NOW - 3_600 }));
    expect((await ask(url, expired)).status).toBe(401);
    expect((await ask(url)).status).toBe(401);
    expect((await ask(url, bearer(await issuer.token()))).status).toBe(403);
    expect(exchanges).toBe(1);
  });

  it.each<[string, ExchangeTokenOptions['exchange']]>([
    [
      'throws',
      async ({ authInfo }) => {
        throw new Error(`no luck with ${authInfo?.token}`);
      },
    ],
    ['returns no token', () => ''],
    ['returns something else', () => ({ access_token: 'x' }) as unknown as string],
    ['does not end', () => new Promise<string>(() => {})],
  ])('that %s is answered with 503, and tried again', async (_what, exchange) => {
    let isBroken = true;
    const { url, issuer, refusals } = await serveExchange(
      (principal, request) => (isBroken ? exchange(principal, request) : 'mended'),
      { timeoutMs: 100 },
    );
    const token = await issuer.token({ scope: 'mcp' });
    const answer = await ask(url, bearer(token));
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(refusals()).toMatchObject([{ level: 50, reason: 'the exchange of a token failed' }]);
    expect(JSON.stringify(refusals())).not.toContain(token);
    isBroken = false;
    expect(JSON.parse((await ask(url, bearer(token))).text).authInfo.token).toBe('mended');
  });

  it('may refuse', async () => {
    const refusal = { status: 403, code: -32_000, message: 'no account there' };
    const { url, issuer } = await serveExchange(() => {
      throw new RefusedError(refusal);
    });
    const answer = await ask(url, bearer(await issuer.token({ scope: 'mcp' })));
    expect([answer.status, JSON.parse(answer.text).error.message]).toEqual([
      403,
      'no account there',
    ]);
  });

  it('works for API keys and functions', async () => {
    let exchanges = 0;
    const exchange = ({ id }: { id: string }): string => {
      exchanges += 1;
      return `upstream of ${id}`;
    };
    const keys = apiKeys({
      keys: [
        { principal: 'a', sha256: hashApiKey('key-a') },
        { principal: 'b', sha256: hashApiKey('key-b') },
        { principal: 'a', sha256: hashApiKey('key-c') },
      ],
    });
    const { url } = await serveApp({ auth: exchangeToken(keys, { exchange }) });
    for (const id of ['a', 'b', 'a']) {
      const { text } = await ask(url, { api_key: `key-${id}` });
      expect(JSON.parse(text).authInfo.token).toBe(`upstream of ${id}`);
    }
    // Another key of the same principal may be ended by itself.
    expect((await ask(url, { api_key: 'key-c' })).status).toBe(200);
    expect(exchanges).toBe(3);
    const other = await serveApp({ auth: exchangeToken(() => ({ id: 'f' }), { exchange }) });
    expect(JSON.parse((await ask(other.url)).text)).toEqual({
      id: 'f',
      authInfo: { token: 'upstream of f', clientId: 'f', scopes: [], expiresAt: undefined },
    });
  });

  it('names what is wrong with its options', () => {
    const exchange = (): string => 't';
    for (const [wrong, message] of [
      [{ exchange: 'x' }, 'exchangeToken.exchange'],
      [{ maxTokens: 0 }, 'exchangeToken.maxTokens'],
      [{ timeoutMs: 0 }, 'exchangeToken.timeoutMs'],
      [{ renewBeforeMs: -1 }, 'exchangeToken.renewBeforeMs'],
      [{ lifetime: 1 }, 'exchangeToken.lifetime'],
    ] as const) {
      const options = { exchange, ...wrong } as ExchangeTokenOptions;
      expect(() => exchangeToken(() => ({ id: 'f' }), options)).toThrow(message);
    }
  });
});
