import type { AuthInfo } from '@modelcontextprotocol/server';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { checkCount, checkDurationMs, checkNames } from '../check-options.js';
import { isScope } from './challenge.js';
import { createRemoteKeys } from './remote-keys.js';
import { ResourceMetadata } from './resource-metadata.js';

/** The claims of a token that has been verified. */
export type JwtClaims = JWTPayload;

/** Options of {@link jwt}. Durations in milliseconds, sizes in bytes. */
export interface JwtOptions {
  /** Who issues the tokens: exactly the `iss` of the tokens, and the authorization server of the metadata. */
  issuer: string;
  /**
   * Whom the tokens are for: one of these must be in `aud`. Without this check, a token for any other
   * service of the issuer would be good here, too. For addresses a slash at the end does not matter.
   */
  audience: string | readonly string[];
  /** Where the issuer's keys are; or the keys, where they never change. */
  jwks: URL | string | JSONWebKeySet;
  /** Scopes that every request needs; without one of them it is answered with 403. Default: none. */
  scopes?: readonly string[];
  /** Signatures that are taken. Only those by a public key can be. Default: every such one of RFC 7518 and EdDSA. */
  algorithms?: readonly string[];
  /** The type in the token's header, such as `at+jwt`. Default: any. */
  type?: string;
  /** Who the token stands for. Default: `sub`, with the issuer in front: `https://issuer#sub`. */
  principal?: (claims: JwtClaims) => string;
  /** How far the issuer's clock may be off. Default: 30 000. */
  clockToleranceMs?: number;
  /**
   * The address of the mount as clients know it, such as `https://mcp.example.com/api`, with or without
   * `/mcp` at its end. Default: that of each request; behind a proxy, set Fastify's `trustProxy`.
   */
  resource?: string;
  /** Name of the server in the metadata of the resource. */
  resourceName?: string;
  /** Documentation for developers, in the metadata of the resource. */
  resourceDocumentation?: string;
  /** Scopes in the metadata of the resource: those for basic use. Default: `scopes`. */
  scopesSupported?: readonly string[];
  /** Whether issuer and keys may have an address without TLS; loopback may, in any case. Default: `false`. */
  allowHttp?: boolean;
  /** How long a fetch of the keys may take. Default: 5 000. */
  jwksTimeoutMs?: number;
  /** How long the key set may be. Default: 1 048 576 (1 MiB). */
  maxJwksBytes?: number;
  /** How old keys may be before they are fetched again, while they are still used. Default: 600 000 (10 minutes). */
  jwksRefreshMs?: number;
  /** How old keys may be where they cannot be fetched again; then requests are answered with 503. Default: 3 600 000 (1 hour). */
  jwksMaxAgeMs?: number;
  /** How soon after a fetch a token of an unknown key causes another one. Default: 30 000. */
  jwksCooldownMs?: number;
  /** How soon after a fetch that failed there is another one. Default: 1 000. */
  jwksRetryMs?: number;
}

/** {@link JwtOptions}, checked and filled in. */
export interface ResolvedJwtOptions {
  readonly issuer: string;
  readonly audience: string[];
  readonly keys: JWTVerifyGetKey;
  readonly scopes: readonly string[];
  readonly algorithms: string[];
  readonly type: string | undefined;
  readonly principal: ((claims: JwtClaims) => string) | undefined;
  readonly clockToleranceMs: number;
  readonly metadata: ResourceMetadata;
  readonly retryMs: number;
}

/** What a token says of itself, beside what the SDK's `AuthInfo` has a name for. */
export interface JwtAuthInfo extends AuthInfo {
  extra: { claims: JwtClaims };
}

const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

/** A name that is missing here does not compile. */
const NAMES: Readonly<Record<keyof JwtOptions, true>> = {
  issuer: true,
  audience: true,
  jwks: true,
  scopes: true,
  algorithms: true,
  type: true,
  principal: true,
  clockToleranceMs: true,
  resource: true,
  resourceName: true,
  resourceDocumentation: true,
  scopesSupported: true,
  allowHttp: true,
  jwksTimeoutMs: true,
  maxJwksBytes: true,
  jwksRefreshMs: true,
  jwksMaxAgeMs: true,
  jwksCooldownMs: true,
  jwksRetryMs: true,
};

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError that names the wrong option.
 */
export function resolveJwtOptions(options: JwtOptions): ResolvedJwtOptions {
  checkNames('jwt', options, Object.keys(NAMES));
  const { allowHttp = false, clockToleranceMs = 30_000, jwksRetryMs = 1_000 } = options;
  if (typeof allowHttp !== 'boolean') throw new TypeError('jwt.allowHttp must be true or false');
  if (typeof clockToleranceMs !== 'number' || !(clockToleranceMs >= 0)) {
    throw new TypeError('jwt.clockToleranceMs must be a number that is not negative');
  }
  const { principal, type } = options;
  if (principal !== undefined && typeof principal !== 'function') {
    throw new TypeError('jwt.principal must be a function of the claims');
  }
  const issuer = text('issuer', options.issuer);
  webUrl('issuer', issuer, allowHttp);
  const scopes = scopeList('scopes', options.scopes);
  return {
    issuer,
    audience: audiences(options.audience),
    keys: keysOf(options, allowHttp, jwksRetryMs),
    scopes,
    algorithms: algorithmsOf(options.algorithms),
    type: type === undefined ? undefined : text('type', type),
    principal,
    clockToleranceMs,
    metadata: metadataOf(options, { issuer, scopes, allowHttp }),
    retryMs: checkDurationMs('jwt.jwksRetryMs', jwksRetryMs),
  };
}

function keysOf(options: JwtOptions, allowHttp: boolean, retryMs: number): JWTVerifyGetKey {
  const { jwks } = options;
  if (typeof jwks === 'string' || jwks instanceof URL) {
    return createRemoteKeys({
      url: webUrl('jwks', String(jwks), allowHttp),
      timeoutMs: checkCount('jwt.jwksTimeoutMs', options.jwksTimeoutMs ?? 5_000),
      maxBytes: checkCount('jwt.maxJwksBytes', options.maxJwksBytes ?? 1024 * 1024),
      refreshMs: checkDurationMs('jwt.jwksRefreshMs', options.jwksRefreshMs ?? 600_000),
      maxAgeMs: checkDurationMs('jwt.jwksMaxAgeMs', options.jwksMaxAgeMs ?? 3_600_000),
      cooldownMs: checkDurationMs('jwt.jwksCooldownMs', options.jwksCooldownMs ?? 30_000),
      retryMs,
    });
  }
  try {
    return createLocalJWKSet(jwks);
  } catch (cause) {
    throw new TypeError('jwt.jwks must be an address or a JSON Web Key Set', { cause });
  }
}

function metadataOf(
  options: JwtOptions,
  { issuer, scopes, allowHttp }: { issuer: string; scopes: readonly string[]; allowHttp: boolean },
): ResourceMetadata {
  const { resource, resourceName, resourceDocumentation } = options;
  try {
    return new ResourceMetadata({
      issuer,
      publicUrl: resource === undefined ? undefined : mountUrl(resource),
      scopesSupported: scopeList('scopesSupported', options.scopesSupported ?? scopes),
      name: resourceName === undefined ? undefined : text('resourceName', resourceName),
      documentation:
        resourceDocumentation === undefined
          ? undefined
          : webUrl('resourceDocumentation', resourceDocumentation, true),
      allowHttp,
    });
  } catch (error) {
    if (error instanceof TypeError) throw error;
    throw new TypeError(`jwt.issuer: ${(error as Error).message}`, { cause: error });
  }
}

function mountUrl(resource: string): URL {
  const url = webUrl('resource', resource, true);
  if (url.search !== '' || url.hash !== '') {
    throw new TypeError('jwt.resource must have neither a query nor a fragment');
  }
  url.pathname = url.pathname.replace(/\/(?:mcp|sse)?\/*$/, '');
  return url;
}

/** Each address with and without the slash at its end: authorization servers do both. */
function audiences(value: unknown): string[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (given.length === 0) throw new TypeError('jwt.audience must name at least one audience');
  return given.flatMap((one) => {
    const audience = text('audience', one);
    if (!URL.canParse(audience)) return [audience];
    const bare = audience.replace(/\/$/, '');
    return [bare, `${bare}/`];
  });
}

function algorithmsOf(value: readonly string[] | undefined): string[] {
  if (value === undefined) return [...ALGORITHMS];
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError('jwt.algorithms must be an array with at least one algorithm');
  }
  for (const name of value) {
    if (ALGORITHMS.includes(name)) continue;
    throw new TypeError(`jwt.algorithms: ${name} is not one of ${ALGORITHMS.join(', ')}`);
  }
  return [...value];
}

function scopeList(name: 'scopes' | 'scopesSupported', value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((scope) => isScope(scope))) {
    throw new TypeError(`jwt.${name} must be an array of scopes without spaces`);
  }
  return value as string[];
}

function text(name: keyof JwtOptions, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`jwt.${name} must be a text that is not empty`);
}

function webUrl(name: keyof JwtOptions, value: string, allowHttp: boolean): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === 'https:') return url;
  if (url?.protocol === 'http:' && (allowHttp || isLoopback(url.hostname))) return url;
  throw new TypeError(
    `jwt.${name} must be an address with https:, or http: on this machine (allowHttp for others)`,
  );
}

function isLoopback(hostname: string): boolean {
  return ['localhost', '[::1]'].includes(hostname) || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
