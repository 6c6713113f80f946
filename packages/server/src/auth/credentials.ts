import type { FastifyRequest } from 'fastify';
import { repeatedHeader } from '../guard/repeated-header.js';
import { repeatedHeader as repeated } from '../refusal.js';
import { AuthenticationError } from './authentication-error.js';

/** Headers that carry an API key, besides `Authorization: Bearer`. */
export const KEY_HEADERS = ['x-api-key', 'api_key'] as const;

const SINGLE: ReadonlySet<string> = new Set(['authorization', ...KEY_HEADERS]);
const BEARER = /^bearer(?: +(.*))?$/i;
/** Visible ASCII: what a credential in a header can be, whoever reads it. */
const CREDENTIAL = /^[\x21-\x7e]+$/;

/** Whether a key or a token can be sent in a header unchanged. */
export function isCredential(value: string): boolean {
  return CREDENTIAL.test(value);
}

/**
 * The token of `Authorization: Bearer`; undefined where there is none, and `''` where it is malformed.
 *
 * @throws AuthenticationError with 400 when the header comes twice: Node keeps the first, what is in front may
 * have checked the second.
 */
export function bearerToken(request: FastifyRequest): string | undefined {
  checkSingle(request);
  const match = BEARER.exec(request.headers.authorization ?? '');
  if (match === null) return undefined;
  const [, token = ''] = match;
  return isCredential(token) ? token : '';
}

/**
 * The API keys of a request: of each header that has one, each once.
 *
 * @throws AuthenticationError as {@link bearerToken} does.
 */
export function apiKeysOf(request: FastifyRequest): readonly string[] {
  const keys = new Set<string>();
  const bearer = bearerToken(request);
  if (bearer !== undefined) keys.add(bearer);
  for (const name of KEY_HEADERS) {
    const key = request.headers[name];
    if (key !== undefined) keys.add(String(key));
  }
  return [...keys];
}

/** Headers that may carry a credential, by their names: a program's own function may read any. */
const SECRET_NAME = /auth|cookie|cred|key|secret|token/i;

/** Whether a request carries something that looks like a credential. */
export function hasCredential(request: FastifyRequest): boolean {
  return credentialHeaders(request).length > 0;
}

/** A text for the log without the credentials of the request. */
export function withoutCredentials(text: string, request: FastifyRequest): string {
  let masked = text;
  for (const value of credentialHeaders(request)) {
    for (const part of value.split(/[\s,;=]+/)) {
      if (part.length >= 4 && !/^(?:bearer|basic|dpop)$/i.test(part)) {
        masked = masked.replaceAll(part, '***');
      }
    }
  }
  return masked;
}

function credentialHeaders({ headers }: FastifyRequest): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value !== undefined && !name.startsWith(':') && SECRET_NAME.test(name) ? [String(value)] : [],
  );
}

function checkSingle(request: FastifyRequest): void {
  const name = repeatedHeader(request.raw.rawHeaders, SINGLE);
  if (name === undefined) return;
  throw new AuthenticationError(repeated(name), { reason: `repeated ${name}`, isGuess: false });
}
