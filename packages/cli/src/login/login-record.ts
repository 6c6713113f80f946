import type { StoredOAuthClientInformation, StoredOAuthTokens } from '@modelcontextprotocol/client';
import { isJsonObject } from '../json-object.js';

/** Who logged in, as the issuer says. */
export interface Identity {
  sub?: string;
  name?: string;
  email?: string;
}

/** What is known of a login without its secrets. */
export interface LoginFacts {
  /** Origin and path that the tokens are for; what is not below it gets none. */
  resource: string;
  /** The endpoint that asked for the login, from which the issuer is found again. */
  url: string;
  /** The server as it was written, without its query. */
  target: string;
  issuer: string;
  /** A person in a browser or by a device code; or a program with a secret of its own. */
  by: 'person' | 'program';
  identity?: Identity;
  scope?: string;
  /** When the access token expires, in milliseconds since 1970. */
  expiresAt?: number;
  /** Whether a new token can be had without a person. */
  isRenewable: boolean;
  /** The issuer refused to renew it: only a new login helps. */
  hasEnded: boolean;
}

/** What is kept secret of a login. */
export interface LoginSecrets {
  client: StoredOAuthClientInformation;
  tokens?: StoredOAuthTokens;
}

/** A login. */
export interface Login extends LoginFacts {
  secrets: LoginSecrets;
}

/** No token is for longer, and a date can be written of it. */
const MAX_EXPIRY_SECONDS = 100 * 365 * 24 * 60 * 60;

/** The login with other tokens, or with none because the issuer refused to renew them. */
export function withTokens(login: Login, tokens: StoredOAuthTokens | undefined): Login {
  const { client } = login.secrets;
  const { expiresAt: _expiresAt, ...facts } = login;
  if (tokens === undefined) {
    return { ...facts, isRenewable: false, hasEnded: true, secrets: { client } };
  }
  const expiresIn = Math.min(Number(tokens.expires_in), MAX_EXPIRY_SECONDS);
  const identity = identityIn(tokens.id_token) ?? login.identity;
  const scope = tokens.scope ?? login.scope;
  return {
    ...facts,
    ...(identity !== undefined && { identity }),
    ...(scope !== undefined && { scope }),
    ...(expiresIn > 0 && { expiresAt: Date.now() + expiresIn * 1000 }),
    isRenewable: login.by === 'program' || tokens.refresh_token !== undefined,
    hasEnded: false,
    secrets: { client, tokens },
  };
}

/** Origin and path of a URL, without a slash at the end. */
export function resourceOf(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

/** Whether a URL is the resource, or below it. */
export function covers(resource: string, url: string | URL): boolean {
  const asked = resourceOf(url);
  return asked === resource || asked.startsWith(`${resource}/`);
}

/**
 * What the claims of an ID token say. Its signature is not checked: the issuer itself gave it, and it is
 * shown to the person alone.
 */
function identityIn(idToken: string | undefined): Identity | undefined {
  const [, payload] = idToken?.split('.') ?? [];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (!isJsonObject(claims)) return undefined;
    const { sub, name = claims['preferred_username'], email } = claims;
    return {
      ...(typeof sub === 'string' && { sub }),
      ...(typeof name === 'string' && { name }),
      ...(typeof email === 'string' && { email }),
    };
  } catch {
    return undefined;
  }
}
