import { extractWWWAuthenticateParams } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { apiKeys, hashApiKey } from '../../src/auth/api-keys.ts';
import { scopeRefusal } from '../../src/auth/challenge.ts';
import { jwt, type JwtOptions } from '../../src/auth/jwt.ts';
import { ask, serveApp, type App, type AppOptions } from './app.ts';
import { AUDIENCE, bearer, makeKey, startIssuer, type Issuer } from './issuer.ts';

/** What users of other MCP servers have reported, tried here. */

async function serve(
  options: Partial<JwtOptions> = {},
  app: AppOptions = {},
): Promise<App & { issuer: Issuer }> {
  const issuer = await startIssuer();
  const auth = jwt({ issuer: issuer.url, audience: AUDIENCE, jwks: issuer.jwks, ...options });
  return { ...(await serveApp({ auth, ...app })), issuer };
}

describe('the way from 401 to the authorization server', () => {
  // https://github.com/PrefectHQ/fastmcp/issues/1685
  // https://github.com/apollographql/apollo-mcp-server/issues/533
  it('is an address that exists, the well-known part before the path', async () => {
    const { url } = await serve({}, { prefix: '/tools/v1' });
    const { resourceMetadataUrl } = extractWWWAuthenticateParams(await fetch(url));
    expect(resourceMetadataUrl?.pathname).toBe(
      '/.well-known/oauth-protected-resource/tools/v1/mcp',
    );
    expect((await fetch(resourceMetadataUrl!)).status).toBe(200);
  });

  // https://github.com/modelcontextprotocol/python-sdk/issues/1264
  it('names exactly the server that the client asked for', async () => {
    const { url } = await serve();
    const { resourceMetadataUrl } = extractWWWAuthenticateParams(await fetch(url));
    const document = (await (await fetch(resourceMetadataUrl!)).json()) as { resource: string };
    expect(document.resource).toBe(url);
  });

  // https://github.com/andrea-magni/MARS/issues/203
  // https://github.com/mesh/mesh-mcp/issues/20
  it('has https and the public name behind a proxy that ends TLS', async () => {
    const { url } = await serve(
      {},
      { allowedHosts: ['127.0.0.1', 'mcp.example'], fastify: { trustProxy: '127.0.0.1' } },
    );
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'mcp.example' };
    const answer = await ask(url, forwarded);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp"',
    );
    const document = new URL('/.well-known/oauth-protected-resource/mcp', url).href;
    expect(JSON.parse((await ask(document, forwarded, 'GET')).text).resource).toBe(
      'https://mcp.example/mcp',
    );
  });

  // https://github.com/agentgateway/agentgateway/issues/545
  it('follows the configured address, whatever the request says', async () => {
    const { url } = await serve({ resource: 'https://mcp.example/mcp' });
    expect((await ask(url)).headers['www-authenticate']).toContain(
      '"https://mcp.example/.well-known/oauth-protected-resource/mcp"',
    );
  });

  // https://github.com/PrefectHQ/fastmcp/issues/4513
  // https://github.com/thunder-id/thunderid/issues/4509
  it('names the scopes, and an error only where there was a token', async () => {
    const { url } = await serve({ scopes: ['api.read'] });
    const without = String((await ask(url)).headers['www-authenticate']);
    expect(without).toMatch(/^Bearer scope="api.read", resource_metadata="/);
    const wrong = String((await ask(url, bearer('x'))).headers['www-authenticate']);
    expect(wrong).toMatch(/^Bearer error="invalid_token", .*scope="api.read"/);
  });

  // https://github.com/modelcontextprotocol/modelcontextprotocol/issues/2349
  it('asks for what the operation needs, and not for what is granted already', () => {
    const authInfo = { token: 't', clientId: 'c', scopes: ['read'] };
    const { headers } = scopeRefusal({ scopes: ['write'] }, { id: 'ada', authInfo });
    expect(headers?.['www-authenticate']).toContain('scope="write"');
  });
});

describe('which tokens are good', () => {
  // https://github.com/agigante80/actual-mcp-server/issues/160
  it('not one of the same issuer for another application', async () => {
    const { url, issuer } = await serve();
    const other = await issuer.token({
      aud: 'another-client-id',
      client_id: AUDIENCE,
      azp: AUDIENCE,
    });
    expect((await ask(url, bearer(other))).status).toBe(401);
  });

  // https://github.com/electather/media-manager/issues/294
  it('one for the same address with a slash at its end, or without', async () => {
    const { url, issuer } = await serve({ audience: 'https://mcp.example' });
    for (const aud of ['https://mcp.example', 'https://mcp.example/']) {
      expect((await ask(url, bearer(await issuer.token({ aud })))).status).toBe(200);
    }
    for (const aud of [
      'https://mcp.example//',
      'https://mcp.example.evil',
      'https://mcp.example/x',
    ]) {
      expect((await ask(url, bearer(await issuer.token({ aud })))).status).toBe(401);
    }
  });

  // https://github.com/MyrikLD/memlord/pull/3
  it('one for either endpoint of the mount, where both are named', async () => {
    const { url, issuer } = await serve({
      audience: ['https://a.example/mcp', 'https://a.example/sse'],
    });
    for (const aud of ['https://a.example/mcp', ['https://a.example/sse', 'other']]) {
      expect((await ask(url, bearer(await issuer.token({ aud })))).status).toBe(200);
    }
  });

  // https://github.com/upstash/context7/pull/2987
  // https://github.com/exa-labs/exa-mcp-server/pull/336
  it('not any text, which would open a session as nobody', async () => {
    const { url } = await serve();
    for (const token of ['anything', 'null', 'undefined', '[object Object]', 'e30.e30.']) {
      expect((await ask(url, bearer(token))).status).toBe(401);
    }
  });

  // https://github.com/adcontextprotocol/adcp/pull/1131
  it('a bad one is 401, not 500, or the client never asks for another', async () => {
    const { url, issuer } = await serve();
    const expired = await issuer.token({ exp: Math.floor(Date.now() / 1_000) - 3_600 });
    const forged = await issuer.token({}, {}, await makeKey('first'));
    for (const token of [expired, forged]) {
      const answer = await ask(url, bearer(token));
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([
        401,
        expect.stringContaining('resource_metadata='),
      ]);
    }
  });

  // https://github.com/different-ai/openwork/pull/4438
  it('a good one is never called bad because the keys cannot be had', async () => {
    const { url, issuer } = await serve();
    issuer.answer = (response) => response.writeHead(429, { 'retry-after': '60' }).end();
    const answer = await ask(url, bearer(await issuer.token()));
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([503, undefined]);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  // https://github.com/brianirish/laravel-mcp-companion/pull/398
  it('one whose key lies among keys of other kinds', async () => {
    const { url, issuer } = await serve();
    const rsa = await makeKey('rsa', 'RS256');
    const okp = await makeKey('okp', 'EdDSA');
    const odd = { kty: 'XYZ', kid: 'odd', alg: 'XYZ1', use: 'sig' };
    const broken = { kty: 'RSA', kid: 'broken', alg: 'RS256', n: '!', e: '!' };
    issuer.keys = [odd, broken, okp.publicJwk, rsa.publicJwk, issuer.key.publicJwk];
    expect((await ask(url, bearer(await issuer.token()))).status).toBe(200);
    expect((await ask(url, bearer(await issuer.token({}, {}, rsa)))).status).toBe(200);
  });

  // https://github.com/PrefectHQ/fastmcp/issues/3619
  it('and why one is not, the operator reads in the log', async () => {
    const { url, issuer, refusals } = await serve();
    const tokens = [
      await issuer.token({ iss: 'https://other.example' }),
      await issuer.token({ aud: 'https://other.example' }),
      await issuer.token({}, { kid: 'rotated' }),
      await issuer.token({ exp: 1 }),
    ];
    for (const token of tokens) await ask(url, bearer(token));
    expect(refusals().map(({ reason }) => String(reason))).toEqual([
      expect.stringMatching(/"iss"/),
      expect.stringMatching(/"aud"/),
      expect.stringMatching(/no applicable key/),
      expect.stringMatching(/"exp"/),
    ]);
  });
});

describe('browsers and proxies', () => {
  const auth = apiKeys({ keys: [{ principal: 'a', sha256: hashApiKey('key') }] });

  // https://github.com/IBM/mcp-context-forge/issues/2152
  // https://github.com/mcp-hangar/mcp-hangar/issues/993
  // https://github.com/PrefectHQ/fastmcp/issues/3122
  // https://github.com/hauptsacheNet/typo3-mcp-server/issues/115
  it('a preflight is answered before anybody asks for a key', async () => {
    const origin = 'http://localhost:6274';
    const { url } = await serveApp({ auth, cors: true });
    const headers = {
      origin,
      'access-control-request-method': 'DELETE',
      'access-control-request-headers': 'authorization,mcp-protocol-version,mcp-session-id',
    };
    const answer = await ask(url, headers, 'OPTIONS');
    expect(answer).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': origin },
    });
    expect(answer.headers['access-control-allow-methods']).toContain('DELETE');
    expect(answer.headers['access-control-allow-headers']).toContain('mcp-protocol-version');
    const refused = await ask(url, { origin });
    expect(refused).toMatchObject({
      status: 401,
      headers: { 'access-control-allow-origin': origin },
    });
  });

  // https://github.com/PrefectHQ/fastmcp/issues/4468
  // https://github.com/modelcontextprotocol/python-sdk/issues/1798
  it('a proxy that rewrites Host is told what to do', async () => {
    const { url } = await serveApp({ auth, allowedHosts: ['mcp.example'] });
    const headers = {
      host: 'upstream_pool',
      'x-forwarded-host': 'mcp.example',
      'x-api-key': 'key',
    };
    const answer = await ask(url, headers);
    expect(answer.status).toBe(403);
    expect(answer.text).toMatch(/let the proxy pass Host on, .*add this Host to allowedHosts/);
    expect((await ask(url, { host: 'mcp.example', 'x-api-key': 'key' })).status).toBe(200);
  });
});
