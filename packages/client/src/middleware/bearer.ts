import type { Middleware } from './contract.js';
import { checkText } from '../options/checks.js';
import { fixedHeader, RequestHeader, unauthorized } from './request-header.js';

/** A token, or where to get one: it is asked for every request. */
export type TokenSource = string | (() => string | Promise<string>);

/**
 * Sends `Authorization: Bearer …` with every request, the handshake included, over HTTP. A request
 * with an `authorization` of its own keeps it.
 *
 * @throws TypeError for a token that cannot be one. A function that fails, or gives no token, fails
 * the request with the code `unauthorized`.
 */
export function bearer(token: TokenSource): Middleware {
  if (typeof token !== 'function') {
    checkText('bearer.token', token);
    return fixedHeader('authorization', `Bearer ${token}`);
  }
  const header = new RequestHeader('authorization');
  return async (request, next) => {
    if (header.isFree(request)) header.set(request, `Bearer ${await ask(token)}`);
    return next();
  };
}

async function ask(source: () => string | Promise<string>): Promise<string> {
  let token: unknown;
  try {
    token = await source();
  } catch (cause) {
    throw unauthorized('the function that gives the token failed', cause);
  }
  if (typeof token === 'string' && token !== '') return token;
  throw unauthorized('the function that gives the token gave none');
}
