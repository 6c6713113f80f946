import { SignJWT, exportSPKI, importJWK, type CryptoKey, type JWTPayload } from 'jose';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { jwt, type JwtOptions } from '../../src/auth/jwt.ts';
import { CountingStore, ask, raw, serveApp, type App } from './app.ts';
import { AUDIENCE, bearer, makeKey, startIssuer, type Issuer } from './issuer.ts';

const NOW = Math.floor(Date.now() / 1_000);

async function serveJwt(
  options: Partial<JwtOptions> = {},
  algorithm?: string,
): Promise<App & { issuer: Issuer }> {
  const issuer = await startIssuer(algorithm);
  const auth = jwt({ issuer: issuer.url, audience: AUDIENCE, jwks: issuer.jwks, ...options });
  return { ...(await serveApp({ auth })), issuer };
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('a good token', () => {
  it('tells tools who it is, what it may, and until when', async () => {
    const { url, issuer, refusals } = await serveJwt({ scopes: ['mcp'] });
    const claims = {
      client_id: 'inspector',
      scope: 'mcp files:read',
      exp: NOW + 900,
      aud: ['x', AUDIENCE],
    };
    const token = await issuer.token(claims);
    const answer = await ask(url, bearer(token));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual({
      id: `${issuer.url}#ada`,
      authInfo: {
        token,
        clientId: 'inspector',
        scopes: ['mcp', 'files:read'],
        expiresAt: NOW + 900,
        resource: AUDIENCE,
        resourceMetadataUrl: url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp'),
        extra: { claims: expect.objectContaining({ ...claims, sub: 'ada' }) },
      },
    });
    expect(refusals()).toEqual([]);
  });

  it.each([
    [{ azp: 'keycloak', scp: 'a b' }, 'keycloak', ['a', 'b']],
    [{ cid: 'okta', scp: ['a', 'b'] }, 'okta', ['a', 'b']],
    [{ appid: 'entra' }, 'entra', []],
    [{ scope: 'a  a b' }, 'ada', ['a', 'b']],
    [{ scope: { a: 1 }, client_id: 7 } as unknown as JWTPayload, 'ada', []],
  ])('is read as its issuer writes it: %j', async (claims, clientId, scopes) => {
    const { url, issuer } = await serveJwt();
    const { text } = await ask(url, bearer(await issuer.token(claims)));
    expect(JSON.parse(text).authInfo).toMatchObject({ clientId, scopes });
  });

  it.each(['RS256', 'PS512', 'ES384', 'EdDSA'])('may be signed by %s', async (algorithm) => {
    const { url, issuer } = await serveJwt({}, algorithm);
    expect((await ask(url, bearer(await issuer.token()))).status).toBe(200);
  });

  it('is good within the tolerance of clocks', async () => {
    const { url, issuer } = await serveJwt({ clockToleranceMs: 60_000 });
    const late = await issuer.token({ exp: NOW - 30 });
    const early = await issuer.token({ nbf: NOW + 30 });
    expect((await ask(url, bearer(late))).status).toBe(200);
    expect((await ask(url, bearer(early))).status).toBe(200);
  });

  it('stands for whom the program says', async () => {
    const { url, issuer } = await serveJwt({
      principal: ({ tenant }) => `tenant:${String(tenant)}`,
    });
    const { text } = await ask(url, bearer(await issuer.token({ tenant: 'acme' })));
    expect(JSON.parse(text).id).toBe('tenant:acme');
  });

  it('needs no id of its key', async () => {
    const { url, issuer } = await serveJwt();
    const second = await makeKey('second');
    const stranger = await makeKey('stranger');
    issuer.keys = [issuer.key.publicJwk, second.publicJwk];
    const unnamed = { kid: undefined as unknown as string };
    expect((await ask(url, bearer(await issuer.token({}, unnamed, second)))).status).toBe(200);
    expect((await ask(url, bearer(await issuer.token({}, unnamed, stranger)))).status).toBe(401);
  });
});

describe('a token that is refused', () => {
  /** Asks with a token; every answer must be the same 401, and the log must say why. */
  async function refused(app: App, token: string, reason: RegExp): Promise<void> {
    const answer = await ask(app.url, bearer(token));
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      401,
      `Bearer error="invalid_token", error_description="The access token is not valid", resource_metadata="${app.url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp')}"`,
    ]);
    const { error } = JSON.parse(answer.text);
    expect(error.message).toMatch(/^The request has no valid access token: send one/);
    const line = app.refusals().at(-1);
    expect(line).toMatchObject({ level: 40, status: 401, reason: expect.stringMatching(reason) });
    expect(typeof line?.['reqId']).toBe('string');
    const [, , signature = ''] = token.split('.');
    if (signature.length > 8) expect(JSON.stringify(app.lines)).not.toContain(signature);
  }

  it.each<[string, JWTPayload, RegExp]>([
    ['of another issuer', { iss: 'https://evil.example' }, /"iss"/],
    ['of this issuer with a slash more', { iss: 'http://127.0.0.1/' }, /"iss"/],
    ['without an issuer', { iss: undefined as unknown as string }, /"iss"/],
    ['for another server', { aud: 'https://other.example' }, /"aud"/],
    ['for a server below', { aud: `${AUDIENCE}/other` }, /"aud"/],
    ['for nobody', { aud: undefined as unknown as string }, /"aud"/],
    ['for an odd audience', { aud: { [AUDIENCE]: true } as unknown as string }, /"aud"/],
    ['that expired', { exp: NOW - 120 }, /"exp"/],
    ['that never expires', { exp: undefined as unknown as number }, /"exp"/],
    ['whose expiry is a text', { exp: '9999999999' as unknown as number }, /"exp"/],
    ['not valid yet', { nbf: NOW + 120 }, /"nbf"/],
    ['for nobody in particular', { sub: undefined as unknown as string }, /no usable sub/],
    ['for a line break', { sub: 'ada\nroot' }, /no usable sub/],
    ['for a very long name', { sub: 'a'.repeat(600) }, /no usable sub/],
  ])('is one %s', async (_what, claims, reason) => {
    const app = await serveJwt();
    await refused(app, await app.issuer.token(claims), reason);
  });

  it('is one that anybody can make', async () => {
    const app = await serveJwt({}, 'RS256');
    const { issuer } = app;
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: 'ada', exp: NOW + 600 };
    for (const alg of ['none', 'None', 'NONE', '']) {
      await refused(app, `${base64({ alg })}.${base64(claims)}.`, /alg|signature|JWS/i);
    }
    // The public key as the secret of a symmetric signature.
    const publicKey = (await importJWK(issuer.key.publicJwk, 'RS256', {
      extractable: true,
    })) as CryptoKey;
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(issuer.key.publicJwk)]) {
      for (const kid of ['first', undefined]) {
        const head = `${base64({ alg: 'HS256', kid })}.${base64(claims)}`;
        const signature = createHmac('sha256', secret).update(head).digest('base64url');
        await refused(app, `${head}.${signature}`, /alg/);
      }
    }
    // A key that the token itself brings, or names.
    const own = await makeKey('first', 'RS256');
    for (const header of [
      { jwk: own.publicJwk },
      { jku: 'http://127.0.0.1:9/jwks.json' },
      { x5u: 'http://127.0.0.1:9/cert' },
      { kid: '../../../../dev/null' },
    ]) {
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'first', ...header })
        .sign(own.privateKey);
      await refused(app, token, /signature|no applicable key/);
    }
    const good = await issuer.token();
    const [header = '', , signature = ''] = good.split('.');
    await refused(app, `${header}.${base64({ ...claims, sub: 'root' })}.${signature}`, /signature/);
    await refused(app, `${header}.${base64(claims)}`, /Compact JWS/);
    const critical = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'first', crit: ['exp'], exp: 1 } as { alg: string })
      .sign(issuer.key.privateKey, { crit: { exp: false } });
    await refused(app, critical, /crit|extension/i);
  });

  it.each([
    'anything',
    'a.b.c',
    '....',
    'e30.e30.e30',
    'x'.repeat(12_000),
    `${'a.'.repeat(3_000)}a`,
  ])('is no token at all', async (token) => {
    const app = await serveJwt();
    await refused(app, token, /./);
    expect(app.issuer.fetches).toBe(0);
  });

  it('is one of another type, where the type is given', async () => {
    const app = await serveJwt({ type: 'at+jwt' });
    await refused(app, await app.issuer.token({}, { typ: 'JWT' }), /"typ"/);
    const token = await app.issuer.token({}, { typ: 'application/at+jwt' });
    expect((await ask(app.url, bearer(token))).status).toBe(200);
  });

  it('is one by an algorithm that is not given', async () => {
    const app = await serveJwt({ algorithms: ['RS256'] });
    await refused(app, await app.issuer.token(), /alg/);
  });

  it('is one in another place, or beside another one', async () => {
    const { url, issuer } = await serveJwt();
    const token = await issuer.token();
    for (const headers of [
      { authorization: `Bearer ${token} ${token}` },
      { authorization: `Bearer ${token}, Bearer ${token}` },
      { authorization: `DPoP ${token}` },
      { authorization: token },
      { 'x-api-key': token },
      { cookie: `access_token=${token}` },
    ]) {
      expect((await ask(url, headers)).status).toBe(401);
    }
    // "MUST NOT be included in the URI query string"
    expect((await ask(`${url}?access_token=${token}`)).status).toBe(401);
    const two = `authorization: Bearer ${token}\r\nauthorization: Bearer x`;
    const answer = await raw(
      url,
      `GET /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${two}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*more than one authorization header/s);
  });

  it('counts as an attempt, unless it has only expired', async () => {
    const issuer = await startIssuer();
    const rates = new CountingStore();
    const auth = jwt({ issuer: issuer.url, audience: AUDIENCE, jwks: issuer.jwks });
    const { url } = await serveApp({ auth, rates, attempts: { max: 2, windowMs: 60_000 } });
    const expired = bearer(await issuer.token({ exp: NOW - 3_600 }));
    for (let count = 0; count < 4; count += 1) expect((await ask(url, expired)).status).toBe(401);
    for (let count = 0; count < 2; count += 1) {
      expect((await ask(url, bearer('guess'))).status).toBe(401);
    }
    expect((await ask(url, bearer(await issuer.token()))).status).toBe(429);
  });
});

describe('a token without a scope', () => {
  it('is answered with 403 and all scopes that are needed', async () => {
    const { url, issuer, refusals } = await serveJwt({ scopes: ['mcp', 'files:read'] });
    const answer = await ask(url, bearer(await issuer.token({ scope: 'mcp' })));
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      403,
      `Bearer error="insufficient_scope", error_description="The access token lacks a scope", scope="mcp files:read", resource_metadata="${url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp')}"`,
    ]);
    expect(refusals()).toMatchObject([{ status: 403, reason: 'the access token lacks a scope' }]);
  });
});

describe('the keys of the issuer', () => {
  it('are fetched once for many requests at a time', async () => {
    const { url, issuer } = await serveJwt();
    const headers = bearer(await issuer.token());
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url, headers)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(issuer.fetches).toBe(1);
  });

  it('may be replaced, and the old ones then end', async () => {
    const { url, issuer } = await serveJwt({ jwksCooldownMs: 1 });
    const old = bearer(await issuer.token());
    expect((await ask(url, old)).status).toBe(200);
    const next = await makeKey('next');
    issuer.keys = [next.publicJwk];
    const renewed = bearer(await issuer.token({}, {}, next));
    expect((await ask(url, renewed)).status).toBe(200);
    expect((await ask(url, old)).status).toBe(401);
  });

  it('are not fetched for each token of an unknown key', async () => {
    const { url, issuer } = await serveJwt();
    const stranger = await makeKey('stranger');
    expect((await ask(url, bearer(await issuer.token()))).status).toBe(200);
    for (let count = 0; count < 5; count += 1) {
      const token = await issuer.token({}, { kid: `unknown-${count}` }, stranger);
      expect((await ask(url, bearer(token))).status).toBe(401);
    }
    expect(issuer.fetches).toBe(1);
  });

  const hang = (): void => {};
  it.each<[string, (response: ServerResponse) => void]>([
    ['are answered with 500', (response) => response.writeHead(500).end('{"keys":[]}')],
    [
      'are somewhere else',
      (response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
    ],
    ['are no JSON', (response) => response.end('<html>')],
    ['are no key set', (response) => response.end('{"keys":{}}')],
    ['do not come', hang],
    ['begin and do not end', (response) => response.write('{"keys":[')],
    ['break off', (response) => response.destroy()],
  ])('that %s make it 503, not 401', async (_what, answer) => {
    const { url, issuer, refusals } = await serveJwt({
      jwksTimeoutMs: 200,
    });
    issuer.answer = answer;
    const token = await issuer.token();
    const refusal = await ask(url, bearer(token));
    expect([refusal.status, refusal.headers['retry-after']]).toEqual([503, '1']);
    expect(refusal.headers['www-authenticate']).toBeUndefined();
    const [line] = refusals();
    expect(line).toMatchObject({ level: 50, reason: expect.stringMatching(/keys of the issuer/) });
    expect(String(line?.['cause'])).toMatch(/Error|JWKSInvalid/);
    expect(JSON.stringify(line)).not.toContain(token);
    // A flood of requests is no flood of fetches.
    const { fetches } = issuer;
    expect((await ask(url, bearer(token))).status).toBe(503);
    expect(issuer.fetches).toBe(fetches);
  });

  it('that are endless are read no further than they may be long', async () => {
    const { url, issuer, refusals } = await serveJwt({ jwksTimeoutMs: 60_000 });
    issuer.answer = (response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, ' ')));
      };
      response.on('drain', more);
      more();
    };
    expect((await ask(url, bearer(await issuer.token()))).status).toBe(503);
    expect(refusals()[0]?.['cause']).toMatch(/longer than 1048576 bytes \(maxJwksBytes\)/);
  });

  it('come back, and one that is known is used while they are away', async () => {
    const { url, issuer } = await serveJwt({ jwksRetryMs: 1, jwksRefreshMs: 1, jwksCooldownMs: 1 });
    issuer.answer = (response) => response.writeHead(503).end();
    const headers = bearer(await issuer.token());
    expect((await ask(url, headers)).status).toBe(503);
    issuer.answer = undefined;
    expect((await ask(url, headers)).status).toBe(200);
    await issuer.close();
    expect((await ask(url, headers)).status).toBe(200);
    // Of an unknown one, nobody knows whether it is new.
    const next = await makeKey('next');
    expect((await ask(url, bearer(await issuer.token({}, {}, next)))).status).toBe(503);
  });

  it('end when they are too old', async () => {
    const { url, issuer } = await serveJwt({ jwksMaxAgeMs: 1 });
    const headers = bearer(await issuer.token());
    expect((await ask(url, headers)).status).toBe(200);
    await issuer.close();
    expect((await ask(url, headers)).status).toBe(503);
  });

  it('may be given, and then nothing is fetched', async () => {
    const issuer = await startIssuer();
    const jwks = { keys: issuer.keys };
    const { url } = await serveApp({ auth: jwt({ issuer: issuer.url, audience: AUDIENCE, jwks }) });
    expect((await ask(url, bearer(await issuer.token()))).status).toBe(200);
    expect(issuer.fetches).toBe(0);
  });
});

describe('the configuration', () => {
  const good: JwtOptions = {
    issuer: 'https://auth.example',
    audience: AUDIENCE,
    jwks: 'https://auth.example/jwks.json',
  };
  it.each<[string, object]>([
    ['jwt.issuer', { issuer: '' }],
    ['jwt.issuer', { issuer: 'http://auth.example' }],
    ['jwt.issuer', { issuer: 'https://auth.example?a=1' }],
    ['jwt.audience', { audience: undefined }],
    ['jwt.audience', { audience: [] }],
    ['jwt.audience', { audience: [''] }],
    ['jwt.jwks', { jwks: 'http://auth.example/jwks.json' }],
    ['jwt.jwks', { jwks: 'file:///etc/keys' }],
    ['jwt.jwks', { jwks: { keys: 'no' } }],
    ['jwt.jwks', { jwks: undefined }],
    ['jwt.algorithms', { algorithms: ['HS256'] }],
    ['jwt.algorithms', { algorithms: ['none'] }],
    ['jwt.algorithms', { algorithms: [] }],
    ['jwt.scopes', { scopes: ['a b'] }],
    ['jwt.scopes', { scopes: ['a"b'] }],
    ['jwt.resource', { resource: 'mcp.example' }],
    ['jwt.resource', { resource: 'https://mcp.example/#x' }],
    ['jwt.clockToleranceMs', { clockToleranceMs: -1 }],
    ['jwt.maxJwksBytes', { maxJwksBytes: 0 }],
    ['jwt.principal', { principal: 'sub' }],
    ['jwt.audiance', { audiance: AUDIENCE }],
  ])('names what is wrong: %s', (message, wrong) => {
    const make = (): unknown => jwt({ ...good, ...wrong });
    expect(() => jwt(good)).not.toThrow();
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });

  it('takes addresses without TLS when told so', () => {
    const inside = { issuer: 'http://keycloak.svc', jwks: 'http://keycloak.svc/jwks' };
    expect(() => jwt({ ...good, ...inside, allowHttp: true })).not.toThrow();
  });
});

it('makes 500 of a principal that is none, and 401 of a function that throws', async () => {
  for (const [principal, status] of [
    [() => undefined as unknown as string, 500],
    [() => '', 500],
    [({ tenant }: JWTPayload) => (tenant as { id: string }).id, 401],
  ] as const) {
    const { url, issuer, refusals } = await serveJwt({ principal });
    expect((await ask(url, bearer(await issuer.token()))).status).toBe(status);
    expect(refusals()).toHaveLength(1);
  }
});

it('leaves no fetch behind that a slow issuer holds', async () => {
  const { url, issuer } = await serveJwt({ jwksTimeoutMs: 100 });
  const closed = new Promise<void>((resolve) => {
    issuer.answer = (response) => {
      response.write(' ');
      void once(response, 'close').then(() => resolve());
    };
  });
  expect((await ask(url, bearer(await issuer.token()))).status).toBe(503);
  await closed;
});
