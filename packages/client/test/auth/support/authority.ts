import {
  InvalidGrantError,
  InvalidTokenError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type {
  AuthorizationParams,
  OAuthServerProvider,
} from '@modelcontextprotocol/sdk/server/auth/provider.js';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import type { OAuthClientInformationFull } from '@modelcontextprotocol/sdk/shared/auth.js';
import { randomUUID } from 'node:crypto';

/** What a code or a token stands for. */
interface Grant {
  scopes: string[];
  resource: URL | undefined;
}

interface Tokens {
  access_token: string;
  token_type: 'Bearer';
  refresh_token: string;
  scope: string;
}

/** Whoever grants; the protocol around it is that of the SDK's authorization server. */
export class Authority implements OAuthServerProvider {
  /** What it was asked to authorize, in order. */
  readonly authorizations: Grant[] = [];
  refreshes = 0;
  /** Scopes that it leaves out of what it grants. */
  readonly withheld = new Set<string>();
  /** It answers every authorization with this error. */
  refusal: string | undefined;
  readonly #clients = new Map<string, OAuthClientInformationFull>();
  readonly #codes = new Map<string, Grant & { challenge: string }>();
  readonly #access = new Map<string, Grant>();
  readonly #refresh = new Map<string, Grant>();

  readonly clientsStore = {
    getClient: (id: string): OAuthClientInformationFull | undefined => this.#clients.get(id),
    registerClient: (client: OAuthClientInformationFull): OAuthClientInformationFull => {
      this.#clients.set(client.client_id, client);
      return client;
    },
  };

  /** Every access token has expired. */
  expireTokens(): void {
    this.#access.clear();
  }

  /** And nothing can be had for what went with them. */
  revokeTokens(): void {
    this.#access.clear();
    this.#refresh.clear();
  }

  authorize(
    _client: OAuthClientInformationFull,
    { redirectUri, codeChallenge, scopes = [], resource, state }: AuthorizationParams,
    response: { redirect(url: string): void },
  ): Promise<void> {
    this.authorizations.push({ scopes, resource });
    const url = new URL(redirectUri);
    if (state !== undefined) url.searchParams.set('state', state);
    if (this.refusal !== undefined) url.searchParams.set('error', this.refusal);
    else {
      const code = randomUUID();
      this.#codes.set(code, { scopes, resource, challenge: codeChallenge });
      url.searchParams.set('code', code);
    }
    response.redirect(url.href);
    return Promise.resolve();
  }

  challengeForAuthorizationCode(_client: unknown, code: string): Promise<string> {
    return Promise.resolve(this.#grantOf(this.#codes, code).challenge);
  }

  exchangeAuthorizationCode(_client: unknown, code: string): Promise<Tokens> {
    const grant = this.#grantOf(this.#codes, code);
    this.#codes.delete(code);
    const scopes = grant.scopes.filter((scope) => !this.withheld.has(scope));
    return Promise.resolve(this.#issue({ ...grant, scopes }));
  }

  exchangeRefreshToken(_client: unknown, token: string): Promise<Tokens> {
    this.refreshes++;
    const grant = this.#grantOf(this.#refresh, token);
    this.#refresh.delete(token);
    return Promise.resolve(this.#issue(grant));
  }

  verifyAccessToken(token: string): Promise<AuthInfo> {
    const grant = this.#access.get(token);
    if (grant === undefined) return Promise.reject(new InvalidTokenError('it has expired'));
    const { scopes, resource } = grant;
    const expiresAt = Math.floor(Date.now() / 1000) + 3600;
    return Promise.resolve({
      token,
      clientId: 'any',
      scopes,
      expiresAt,
      ...(resource && { resource }),
    });
  }

  #issue(grant: Grant): Tokens {
    const [access, refresh] = [randomUUID(), randomUUID()];
    this.#access.set(access, grant);
    this.#refresh.set(refresh, grant);
    return {
      access_token: access,
      token_type: 'Bearer',
      refresh_token: refresh,
      scope: grant.scopes.join(' '),
    };
  }

  #grantOf<T>(grants: Map<string, T>, key: string): T {
    const grant = grants.get(key);
    if (grant === undefined) throw new InvalidGrantError('there is no such thing');
    return grant;
  }
}
