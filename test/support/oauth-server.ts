import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jwt, RefusedError, serve } from '@longwire/server';
import { McpServer, requireScopes } from '@modelcontextprotocol/server';
import { generateKeyPair, exportJWK } from 'jose';
import { Provider, type Configuration } from 'oidc-provider';

/** Everything that the protected server needs at least. */
const SCOPE = 'notes:read';
/** Which client may ask for tokens without a person. */
export const MACHINE = { id: 'machine', secret: 'the-secret-of-the-machine' } as const;

/** An MCP server, and the authorization server of npm (`oidc-provider`) that it sends people to. */
export interface OAuthServer extends AsyncDisposable {
  /** The URL of the MCP server, and what its tokens are for. */
  readonly url: string;
  readonly issuer: string;
  /** Refuses every access token that was sent so far, as if it had expired. */
  expireTokens(): void;
  /** Nothing listens at the issuer any more. */
  stopIssuer(): Promise<void>;
  /** How many token requests were answered with tokens, by grant. */
  readonly granted: Record<string, number>;
  /** Token requests that were refused, with the error. */
  readonly refused: string[];
  /** Method and path of each request to the authorization server. */
  readonly requests: string[];
  /** What a person answers when asked. */
  decision: 'allow' | 'deny';
  /** Holds token requests: before they are read, or before they are answered. */
  hold: { when: 'before' | 'after'; until: Promise<void>; onHeld: () => void } | undefined;
}

/** Starts both on 127.0.0.1. `configure` changes the authorization server's configuration. */
export async function startOAuthServer(
  configure: Configuration = {},
  { port = 0 }: { port?: number } = {},
): Promise<OAuthServer> {
  let handle: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined;
  const http = createServer((request, response) => void handle(request, response));
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });

  const seen = new Set<string>();
  const expired = new Set<string>();
  const serving = await serve({
    port,
    create: notes,
    // Every token that expires counts.
    attempts: { max: 100_000, windowMs: 1000 },
    auth: jwt({
      issuer,
      audience: 'urn:notes',
      jwks: `${issuer}/jwks`,
      scopes: [SCOPE],
      principal: ({ sub, client_id: client, jti }) => {
        if (expired.has(String(jti))) throw new RefusedError(EXPIRED);
        seen.add(String(jti));
        return sub ?? String(client);
      },
    }),
  });

  const provider = new Provider(issuer, {
    ...configuration(serving.url),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] },
    ...configure,
  });
  const state: OAuthServer = {
    url: serving.url,
    issuer,
    expireTokens: () => seen.forEach((id) => expired.add(id)),
    granted: {},
    refused: [],
    requests: [],
    decision: 'allow',
    hold: undefined,
    stopIssuer: async () => {
      if (!http.listening) return;
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
    [Symbol.asyncDispose]: async () => {
      await serving.close();
      await state.stopIssuer();
    },
  };
  provider.on('grant.success', ({ oidc }) => {
    const grant = String(oidc.params?.['grant_type']);
    state.granted[grant] = (state.granted[grant] ?? 0) + 1;
  });
  provider.on('grant.error', (_ctx, error) => state.refused.push(error.error));
  const answer = provider.callback();
  handle = async (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    state.requests.push(`${request.method} ${path}`);
    if (path.startsWith('/interaction/')) return interact(provider, state, request, response);
    if (path === '/token' && state.hold !== undefined) await held(state.hold, request, response);
    return answer(request, response);
  };
  return state;
}

function notes(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('read', {}, () => ({ content: [{ type: 'text', text: 'read done' }] }));
  server.registerTool('write', { scopeChallenge: requireScopes('notes:write') }, () => ({
    content: [{ type: 'text', text: 'write done' }],
  }));
  return server;
}

/** Where the metadata is, a client finds by the address: it may have used either endpoint. */
const EXPIRED: ConstructorParameters<typeof RefusedError>[0] = {
  status: 401,
  code: -32000,
  message: 'The access token has expired',
  headers: { 'www-authenticate': `Bearer error="invalid_token", scope="${SCOPE}"` },
};

function configuration(resource: string): Configuration {
  return {
    clients: [
      {
        client_id: MACHINE.id,
        client_secret: MACHINE.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        scope: `${SCOPE} notes:write`,
      },
      {
        client_id: 'given',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: ['http://127.0.0.1/callback'],
      },
      {
        client_id: 'named',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: ['http://localhost/back'],
      },
    ],
    scopes: ['openid', 'offline_access', SCOPE, 'notes:write'],
    claims: { openid: ['sub', 'email', 'name'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['a test'] },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, name: 'Ada' }),
    }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    // As public clients must have it: who uses one twice ends the login.
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: `${SCOPE} notes:write`,
          audience: 'urn:notes',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
        }),
      },
    },
  };
}

/** The person's part: logs in as Ada, and allows or denies what is asked. */
async function interact(
  provider: Provider,
  state: OAuthServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const details = await provider.interactionDetails(request, response);
  const { prompt, params, session, grantId } = details;
  if (state.decision === 'deny') {
    const result = { error: 'access_denied', error_description: 'Ada said no' };
    return provider.interactionFinished(request, response, result);
  }
  if (prompt.name === 'login') {
    const result = { login: { accountId: 'ada' } };
    return provider.interactionFinished(request, response, result);
  }
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const clientId = String(params['client_id']);
  const grant = known ?? new provider.Grant({ accountId: session?.accountId ?? 'ada', clientId });
  const missing = prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  grant.addOIDCScope((missing.missingOIDCScope ?? []).join(' '));
  grant.addOIDCClaims(missing.missingOIDCClaims ?? []);
  for (const [resource, scopes] of Object.entries(missing.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

/** Holds a request, or keeps its answer back. Whoever has gone meanwhile is not asked about. */
async function held(
  { when, until, onHeld }: NonNullable<OAuthServer['hold']>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (when === 'before') {
    onHeld();
    await until;
    // Nobody is there for whom it would be done.
    if (request.socket.destroyed) await new Promise(() => {});
    return;
  }
  const end = response.end.bind(response);
  const later = (...args: Parameters<typeof end>): ServerResponse => {
    onHeld();
    void until.then(() => end(...args));
    return response;
  };
  response.end = later as typeof response.end;
}
