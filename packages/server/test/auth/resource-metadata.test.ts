import {
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
  selectResourceURL,
} from '@modelcontextprotocol/client';
import * as sdk1 from '@modelcontextprotocol/sdk/client/auth.js';
import { McpServer, requireScopes, type ScopeChallengeHandler } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { scopeRefusal } from '../../src/auth/challenge.ts';
import { jwt, type JwtOptions } from '../../src/auth/jwt.ts';
import { ask, serveApp, type App, type AppOptions } from './app.ts';
import { AUDIENCE, startIssuer, type Issuer } from './issuer.ts';

async function serveMetadata(
  jwtOptions: Partial<JwtOptions> = {},
  appOptions: AppOptions = {},
): Promise<App & { issuer: Issuer }> {
  const issuer = await startIssuer();
  const options = { issuer: issuer.url, audience: AUDIENCE, jwks: issuer.jwks, ...jwtOptions };
  return { ...(await serveApp({ auth: jwt(options), ...appOptions })), issuer };
}

/** What a client does that has no token: the challenge, and the document that it leads to. */
async function discover(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: 'POST' });
  expect(response.status).toBe(401);
  const { resourceMetadataUrl, scope, error } = extractWWWAuthenticateParams(response);
  const old = sdk1.extractWWWAuthenticateParams(response);
  expect(old.resourceMetadataUrl?.href).toBe(resourceMetadataUrl?.href);
  const document = await discoverOAuthProtectedResourceMetadata(url, {
    resourceMetadataUrl: resourceMetadataUrl!,
  });
  // Clients that do not read the challenge derive the address.
  expect(await discoverOAuthProtectedResourceMetadata(url)).toEqual(document);
  expect(await sdk1.discoverOAuthProtectedResourceMetadata(url)).toEqual(document);
  return { ...document, challenge: { scope, error } };
}

describe('the metadata of the resource', () => {
  it.each(['', '/api', '/deep/er'])(
    'leads the official clients to the issuer, below "%s"',
    async (prefix) => {
      const options = {
        scopes: ['mcp'],
        scopesSupported: ['mcp', 'files:read'],
        resourceName: 'Files',
      };
      const { url, issuer } = await serveMetadata(options, { prefix });
      for (const endpoint of [url, url.replace(/mcp$/, 'sse')]) {
        const document = await discover(endpoint);
        expect(document).toEqual({
          // Exactly the address that the client connects to.
          resource: endpoint,
          authorization_servers: [issuer.url],
          scopes_supported: ['mcp', 'files:read'],
          resource_name: 'Files',
          bearer_methods_supported: ['header'],
          challenge: { scope: 'mcp', error: undefined },
        });
        const provider = {} as Parameters<typeof selectResourceURL>[1];
        expect((await selectResourceURL(endpoint, provider, document as never))?.href).toBe(
          endpoint,
        );
      }
      const messages = await fetch(url.replace(/mcp$/, 'messages?sessionId=1'), { method: 'POST' });
      expect(extractWWWAuthenticateParams(messages).resourceMetadataUrl?.pathname).toBe(
        `/.well-known/oauth-protected-resource${prefix}/sse`,
      );
      const root = await fetch(new URL('/.well-known/oauth-protected-resource', url));
      expect(await root.json()).toMatchObject({ resource: url });
    },
  );

  it('names the address that the operator gives, with the path of the proxy', async () => {
    const { url } = await serveMetadata(
      { resource: 'https://mcp.example/tools/mcp', scopesSupported: ['a'] },
      { prefix: '/api' },
    );
    const challenge = String((await ask(url)).headers['www-authenticate']);
    expect(challenge).toBe(
      'Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/tools/mcp"',
    );
    // The proxy may rewrite the path, or not.
    for (const path of ['/tools/mcp', '/api/mcp', '/tools/sse', '']) {
      const { text } = await ask(
        new URL(`/.well-known/oauth-protected-resource${path}`, url).href,
        {},
        'GET',
      );
      const endpoint = path.endsWith('sse') ? 'sse' : 'mcp';
      expect(JSON.parse(text).resource).toBe(`https://mcp.example/tools/${endpoint}`);
    }
  });

  it('is for whoever asks, from any page whose origin is allowed', async () => {
    const { url } = await serveMetadata(
      {},
      { allowedOrigins: ['https://app.example'], cors: true },
    );
    const document = new URL('/.well-known/oauth-protected-resource/mcp', url).href;
    const origin = 'https://app.example';
    const preflight = await ask(
      document,
      {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
      'OPTIONS',
    );
    expect(preflight).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-headers': 'mcp-protocol-version',
      },
    });
    const answer = await ask(document, { origin, 'mcp-protocol-version': '2026-07-28' }, 'GET');
    expect(answer).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': '*' } });
    expect((await ask(document, {}, 'HEAD')).status).toBe(200);
    expect((await ask(document, { host: 'evil.example' }, 'GET')).status).toBe(403);
  });

  it('has one root where two mounts share an application', async () => {
    const { url, app } = await serveMetadata({ resource: 'https://one.example' });
    expect(app.hasRoute({ method: 'GET', url: '/.well-known/oauth-protected-resource' })).toBe(
      true,
    );
    const issuer = await startIssuer();
    const second = jwt({ issuer: issuer.url, audience: AUDIENCE, jwks: issuer.jwks });
    await expect(
      serveApp({
        auth: {
          authenticate: second.authenticate,
          register: (inner, mount) => {
            second.register?.(inner, mount);
            second.register?.(inner, { ...mount, prefix: '/two' });
            second.register?.(inner, { ...mount, prefix: '/:tenant' });
          },
        },
      }).then(async (two) => {
        const tenant = new URL('/.well-known/oauth-protected-resource/acme/sse', two.url).href;
        return JSON.parse((await ask(tenant, {}, 'GET')).text).resource;
      }),
    ).resolves.toMatch(/\/acme\/sse$/);
    expect(url).toMatch(/mcp$/);
  });

  it('does not put what a client sends into the challenge unquoted', async () => {
    const { url } = await serveMetadata({}, { allowedHosts: ['*'] });
    for (const host of ['a"b', 'a\\b', 'a, Basic realm=x', 'x/../y', 'user@evil.example']) {
      const answer = await ask(url, { host });
      const challenge = String(answer.headers['www-authenticate']);
      expect(answer.status).toBe(401);
      // Either no address at all, or one whose quotes cannot be left.
      expect(challenge).toMatch(/^Bearer(?: resource_metadata="[^"\\]*")?$/);
    }
  });
});

describe('a tool that needs more scopes', () => {
  const authInfo = {
    token: 't',
    clientId: 'c',
    scopes: ['mcp'],
    resourceMetadataUrl: 'https://mcp.example/.well-known/oauth-protected-resource/mcp',
  };
  const request = { jsonrpc: '2.0', id: 1, method: 'tools/call' } as const;

  it('is refused with what the SDK finds that it needs', async () => {
    const server = new McpServer({ name: 'files', version: '1.0.0' });
    const scopeChallenge = requireScopes('files:write', 'files:read');
    server.registerTool('write', { scopeChallenge }, () => ({ content: [] }));
    server.registerTool('look', { scopeChallenge: requireScopes('mcp') }, () => ({ content: [] }));
    let resolver: ScopeChallengeHandler | undefined;
    const transport = {
      setScopeChallengeResolver: (given: ScopeChallengeHandler) => (resolver = given),
      start: async () => {},
      send: async () => {},
      close: async () => {},
    };
    await server.connect(transport);
    const call = (name: string) =>
      resolver?.({ request: { ...request, params: { name } }, authInfo });
    expect(await call('look')).toBeUndefined();
    const challenge = await call('write');
    expect(scopeRefusal(challenge!, { id: 'ada', authInfo })).toEqual({
      status: 403,
      code: -32_000,
      message: 'The request needs the scopes files:write files:read: authorize again with them',
      headers: {
        'www-authenticate': `Bearer error="insufficient_scope", error_description="The access token lacks a scope", scope="files:write files:read", resource_metadata="${authInfo.resourceMetadataUrl}"`,
      },
    });
    await server.close();
  });

  it('says where the metadata are by the resource of the token, or not at all', () => {
    const { resourceMetadataUrl: _left, ...without } = authInfo;
    const resource = new URL('https://mcp.example/api/mcp');
    const header = (info?: typeof without & { resource?: URL }): string =>
      scopeRefusal(
        { scopes: ['a'], errorDescription: 'ask "me"\r\nx: y' },
        { id: 'ada', ...(info && { authInfo: info }) },
      ).headers!['www-authenticate']!;
    expect(header({ ...without, resource })).toContain(
      'resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/api/mcp"',
    );
    const bare =
      'Bearer error="insufficient_scope", error_description="ask \\"me\\"  x: y", scope="a"';
    expect(header(without)).toBe(bare);
    expect(header()).toBe(bare);
  });

  it('is a defect where its challenge is none', () => {
    for (const scopes of [[], ['a b'], ['a"'], ['']] as unknown as [string][]) {
      expect(() => scopeRefusal({ scopes }, { id: 'ada' })).toThrow(TypeError);
    }
  });
});
