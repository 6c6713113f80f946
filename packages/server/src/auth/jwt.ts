import type { FastifyRequest } from 'fastify';
import { errors, jwtVerify, type JWTVerifyOptions } from 'jose';
import { RefusedError } from '../refusal.js';
import type { Principal } from '../principal.js';
import { AuthenticationError, unauthorized, unavailable } from './authentication-error.js';
import type { Authenticator } from './authenticator.js';
import { insufficientScope } from './challenge.js';
import { bearerToken } from './credentials.js';
import {
  resolveJwtOptions,
  type JwtAuthInfo,
  type JwtClaims,
  type JwtOptions,
  type ResolvedJwtOptions,
} from './jwt-options.js';
import { isPrincipalId } from './principals.js';
import { KeysUnavailableError } from './remote-keys.js';

const MESSAGE =
  'The request has no valid access token: send one as Authorization: Bearer; WWW-Authenticate says where to get it';

export type { JwtClaims, JwtOptions } from './jwt-options.js';

/** How many keys without an id of their own are tried for one token. */
const MAX_CANDIDATES = 16;

/**
 * Authenticates requests by access tokens that an authorization server has signed (JWT), as the MCP
 * authorization specification asks: issuer, audience, times and scopes are checked, the metadata of the
 * resource (RFC 9728) are served, and `WWW-Authenticate` leads to them.
 *
 * ```ts
 * auth: jwt({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://mcp.example.com/mcp',
 *   jwks: 'https://auth.example.com/.well-known/jwks.json',
 * })
 * ```
 *
 * Tools see the token as `ctx.http.authInfo.token`. They must not pass it on to other servers: it is for
 * this one. `exchangeToken` gets them another.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 * @throws TypeError that names the wrong option.
 */
export function jwt(options: JwtOptions): Authenticator {
  const resolved = resolveJwtOptions(options);
  return {
    authenticate: (request) => authenticate(request, resolved),
    register: (app, mount) => resolved.metadata.register(app, mount),
  };
}

async function authenticate(
  request: FastifyRequest,
  options: ResolvedJwtOptions,
): Promise<Principal> {
  const token = bearerToken(request);
  const resourceMetadataUrl = options.metadata.urlFor(request);
  const { scopes } = options;
  if (token === undefined) {
    const failure = { reason: 'no access token', isGuess: false };
    throw unauthorized(MESSAGE, failure, { scopes, resourceMetadataUrl });
  }
  const invalid = (reason: string, error?: unknown): AuthenticationError => {
    // Only a token that was good before is sure not to be a guess.
    const isGuess = !(error instanceof errors.JWTExpired);
    const challenge = {
      error: 'invalid_token',
      description: 'The access token is not valid',
      scopes,
      resourceMetadataUrl,
    } as const;
    return unauthorized(
      MESSAGE,
      { reason, isGuess, ...(error !== undefined && { error }) },
      challenge,
    );
  };
  if (token === '') throw invalid('malformed Authorization header');
  const claims = await verify(token, options).catch((error: unknown): never => {
    if (error instanceof KeysUnavailableError) {
      throw unavailable('Access tokens cannot be checked now: try again later', {
        reason: error.message,
        error: error.cause,
        retryAfterMs: options.retryMs,
      });
    }
    throw invalid(reasonOf(error), error);
  });
  const authInfo = authInfoOf(claims, { token, resourceMetadataUrl, options });
  if (!scopes.every((scope) => authInfo.scopes.includes(scope))) {
    throw new AuthenticationError(insufficientScope(scopes, { resourceMetadataUrl }), {
      reason: 'the access token lacks a scope',
      isGuess: false,
    });
  }
  return { id: principalId(claims, options, invalid), authInfo };
}

async function verify(token: string, options: ResolvedJwtOptions): Promise<JwtClaims> {
  const checks: JWTVerifyOptions = {
    issuer: options.issuer,
    audience: options.audience,
    algorithms: options.algorithms as NonNullable<JWTVerifyOptions['algorithms']>,
    clockTolerance: options.clockToleranceMs / 1_000,
    requiredClaims: ['exp'],
    ...(options.type !== undefined && { typ: options.type }),
  };
  try {
    return (await jwtVerify(token, options.keys, checks)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    return verifyByEach(token, error, checks);
  }
}

/** A token that does not name its key, of an issuer with several: one of them must fit. */
async function verifyByEach(
  token: string,
  several: errors.JWKSMultipleMatchingKeys,
  checks: JWTVerifyOptions,
): Promise<JwtClaims> {
  let tried = 0;
  for await (const key of several) {
    tried += 1;
    if (tried > MAX_CANDIDATES) break;
    try {
      return (await jwtVerify(token, key, checks)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw several;
}

function authInfoOf(
  claims: JwtClaims,
  {
    token,
    resourceMetadataUrl,
    options,
  }: { token: string; resourceMetadataUrl: string | undefined; options: ResolvedJwtOptions },
): JwtAuthInfo {
  const granted = [claims.aud ?? []].flat();
  const resource = options.audience.find(
    (audience) => granted.includes(audience) && /^https?:/i.test(audience),
  );
  return {
    token,
    clientId: clientIdOf(claims),
    scopes: scopesOf(claims),
    ...(claims.exp !== undefined && { expiresAt: claims.exp }),
    ...(resource !== undefined && URL.canParse(resource) && { resource: new URL(resource) }),
    ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
    extra: { claims },
  };
}

/** RFC 9068 says `client_id`; Keycloak, Google and Entra say `azp`, Okta `cid`, Entra's version 1 `appid`. */
function clientIdOf(claims: JwtClaims): string {
  for (const name of ['client_id', 'azp', 'cid', 'appid']) {
    const value = claims[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return claims.sub ?? '';
}

/** RFC 9068 says `scope`, a text; Okta and Entra say `scp`, an array or a text. */
function scopesOf(claims: JwtClaims): string[] {
  const values = [claims['scope'], claims['scp']].flat();
  const texts = values.filter((value): value is string => typeof value === 'string');
  return [...new Set(texts.flatMap((text) => text.split(' ')).filter((scope) => scope !== ''))];
}

function principalId(
  claims: JwtClaims,
  { principal, issuer }: ResolvedJwtOptions,
  invalid: (reason: string, error?: unknown) => AuthenticationError,
): string {
  if (principal === undefined) {
    const { sub } = claims;
    // An issuer has no fragment, so no two of them can be mixed up.
    const id = `${issuer}#${sub}`;
    if (typeof sub !== 'string' || sub === '' || !isPrincipalId(id)) {
      throw invalid('no usable sub claim: jwt.principal can name another');
    }
    return id;
  }
  let id: unknown;
  try {
    id = principal(claims);
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    throw invalid('jwt.principal failed', error);
  }
  // What it returns is checked where every principal is.
  return id as string;
}

/** For the log. Messages of jose name claims, and have nothing of the token. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JOSEError) return `${error.code}: ${error.message}`;
  return 'the token could not be verified';
}
