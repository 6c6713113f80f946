import {
  getOAuthProtectedResourceMetadataUrl,
  type ScopeChallenge,
} from '@modelcontextprotocol/server';
import type { Principal } from '../principal.js';
import { SERVER_ERROR, type Refusal } from '../refusal.js';

/** What a client is told in `WWW-Authenticate`. */
export interface Challenge {
  /** Left out where the request had no token: https://datatracker.ietf.org/doc/html/rfc6750#section-3.1 */
  readonly error?: 'invalid_token' | 'insufficient_scope';
  readonly description?: string;
  /** The scopes that the request needs, all of them. */
  readonly scopes?: readonly string[];
  /** Where the metadata of the resource is, by RFC 9728. */
  readonly resourceMetadataUrl?: string | undefined;
}

/** https://datatracker.ietf.org/doc/html/rfc6749#section-3.3 */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Whether this is one scope, as OAuth writes them. */
export function isScope(value: unknown): value is string {
  return typeof value === 'string' && SCOPE.test(value);
}

/**
 * A value of `WWW-Authenticate`. The SDK's formatter always names an error, even where the request had
 * no token.
 */
export function bearerChallenge({
  error,
  description,
  scopes = [],
  resourceMetadataUrl,
}: Challenge): string {
  const parameters = [
    ['error', error],
    ['error_description', description],
    ['scope', scopes.length > 0 ? scopes.join(' ') : undefined],
    ['resource_metadata', resourceMetadataUrl],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${quotable(value)}"`]));
  return ['Bearer', parameters.join(', ')].filter((part) => part !== '').join(' ');
}

/**
 * The answer to a request for which the principal's scopes do not suffice, as the handlers that the SDK
 * asks by `setScopeChallengeResolver` find: 403 with the scopes that it needs.
 *
 * @throws TypeError when the handler's challenge is none: a defect of the server, not of the request.
 */
export function scopeRefusal(challenge: ScopeChallenge, { authInfo }: Principal): Refusal {
  const { scopes, errorDescription } = challenge;
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every((scope) => isScope(scope))) {
    throw new TypeError('a scope challenge must have at least one scope, each without spaces');
  }
  const resource = authInfo?.resource;
  const resourceMetadataUrl =
    authInfo?.resourceMetadataUrl ??
    (resource !== undefined && /^https?:$/.test(resource.protocol)
      ? getOAuthProtectedResourceMetadataUrl(resource)
      : undefined);
  return insufficientScope(scopes, { description: errorDescription, resourceMetadataUrl });
}

/** 403: who it is is known, and needs more scopes. */
export function insufficientScope(
  scopes: readonly string[],
  details: { description?: string | undefined; resourceMetadataUrl?: string | undefined } = {},
): Refusal {
  const { description = 'The access token lacks a scope', resourceMetadataUrl } = details;
  const challenge = {
    error: 'insufficient_scope',
    description,
    scopes,
    resourceMetadataUrl,
  } as const;
  return {
    status: 403,
    code: SERVER_ERROR,
    message: `The request needs the scopes ${scopes.join(' ')}: authorize again with them`,
    headers: { 'www-authenticate': bearerChallenge(challenge) },
  };
}

/** Within quotes of a header: escaped, and without what a header cannot carry. */
function quotable(value: string): string {
  return value.replaceAll(/[\\"]/g, String.raw`\$&`).replaceAll(/[^\x20-\x7e]/g, ' ');
}
