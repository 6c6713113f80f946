/** Tokens that expire, as an authorization server gives them: `USER.EXPIRES.SIGNATURE`. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** @param {string} text @param {string} secret */
const sign = (text, secret) => createHmac('sha256', secret).update(text).digest('base64url');

/** @param {string} user @param {number} expiresAt in milliseconds since 1970 @param {string} secret */
export function issueToken(user, expiresAt, secret) {
  const claims = `${Buffer.from(user).toString('base64url')}.${expiresAt}`;
  return `${claims}.${sign(claims, secret)}`;
}

/**
 * Whose token it is; `undefined` for one that is none, or no longer.
 *
 * @param {string | undefined} authorization @param {string} secret
 */
export function userOf(authorization, secret) {
  const [, claims = '', signature = ''] =
    /^Bearer (\S+\.\d+)\.(\S+)$/.exec(authorization ?? '') ?? [];
  const expected = Buffer.from(sign(claims, secret));
  const given = Buffer.from(signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const [user = '', expiresAt] = claims.split('.');
  return Number(expiresAt) > Date.now() ? Buffer.from(user, 'base64url').toString() : undefined;
}
