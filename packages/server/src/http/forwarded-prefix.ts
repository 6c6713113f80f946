import type { FastifyRequest } from 'fastify';

/** Segments that need no encoding: what stands in the header becomes an address. */
const PREFIX = /^(?:\/[\w.~-]+)+\/?$/;

/**
 * What a proxy removed from the front of the path, as it says in `X-Forwarded-Prefix`; empty without one.
 * It counts only from a proxy that `trustProxy` names, which says by `X-Forwarded-For` that it is one.
 */
export function forwardedPrefix({ headers, ips = [] }: FastifyRequest): string {
  const prefix = headers['x-forwarded-prefix'];
  const isTrusted = ips.length > 1 && typeof prefix === 'string' && PREFIX.test(prefix);
  return isTrusted ? prefix.replace(/\/$/, '') : '';
}
