import type { Middleware } from './contract.js';
import { checkText } from '../options/checks.js';
import { fixedHeader } from './request-header.js';

/**
 * Sends `Authorization: Basic …` with every request, the handshake included, over HTTP. A request
 * with an `authorization` of its own keeps it.
 *
 * @throws TypeError for a user or a password that cannot be one.
 */
export function basic(user: string, password: string): Middleware {
  checkText('basic.user', user);
  if (typeof password !== 'string') throw new TypeError('basic.password: not a string');
  // "A user-id containing a colon character is invalid", RFC 7617.
  if (user.includes(':')) throw new TypeError('basic.user: has a colon, which HTTP does not allow');
  const credentials = Buffer.from(`${user}:${password}`).toString('base64');
  return fixedHeader('authorization', `Basic ${credentials}`);
}
