import type { AuthInfo } from '@modelcontextprotocol/server';
import type { Principal } from '../principal.js';

const MAX_ID_CHARACTERS = 512;
/** Characters that would forge a line of a log, or end a header. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** Whether this can be the id of a principal: it is a key of maps, and appears in logs. */
export function isPrincipalId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= MAX_ID_CHARACTERS &&
    !CONTROL.test(value)
  );
}

/** What is wrong with a value that a program gave as a principal; undefined if nothing is. */
export function principalProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return `auth returned ${value === null ? 'null' : typeof value}, not a principal: an object with an id`;
  }
  const { id, authInfo } = value as Partial<Principal>;
  if (!isPrincipalId(id)) {
    return `auth returned a principal whose id is not a text of 1 to ${MAX_ID_CHARACTERS} characters without control characters`;
  }
  return authInfo === undefined ? undefined : authInfoProblem(authInfo);
}

function authInfoProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return 'auth returned a principal whose authInfo is not an object';
  }
  const { token, clientId, scopes } = value as Partial<AuthInfo>;
  if (typeof token !== 'string' || typeof clientId !== 'string') {
    return 'auth returned a principal whose authInfo lacks token or clientId, which are texts';
  }
  if (!Array.isArray(scopes) || scopes.some((scope) => typeof scope !== 'string')) {
    return 'auth returned a principal whose authInfo.scopes is not an array of texts';
  }
  return undefined;
}
