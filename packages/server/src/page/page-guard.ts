import { INTERNAL_ERROR } from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import { SERVER_ERROR, type Refusal } from '../refusal.js';

/** Whoever is known, and may not see the page. */
export const NOT_ALLOWED: Refusal = {
  status: 403,
  code: SERVER_ERROR,
  message: "This principal may not see the page: its operator's function allow says so",
};

/** Nobody knows whether this one may see the page. */
export const ALLOW_FAILED: Refusal = {
  status: 500,
  code: INTERNAL_ERROR,
  message: 'Whether this principal may see the page is not known: the log of the server says why',
};

const OTHER_PAGE: Refusal = {
  status: 403,
  code: SERVER_ERROR,
  message: 'Only the page itself may ask for this: another web page sent the request',
};

/**
 * Why a request that another web page made is refused. `allowedOrigins` does not count here: who may call
 * tools is not meant to read what everybody calls. A link to the page is followed, whoever has it.
 *
 * A browser adds cookies, and a password that it knows, to requests of every page. It says in `Origin` and
 * `Sec-Fetch-Site` which one sent them.
 *
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function refuseOtherPages({ method, headers, host }: FastifyRequest): Refusal | undefined {
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = headers;
  if (origin !== undefined && hostOf(origin) !== host.toLowerCase()) return OTHER_PAGE;
  const isOwn = site === undefined || site === 'same-origin' || site === 'none';
  const isLink = method === 'GET' && mode === 'navigate';
  return isOwn || isLink ? undefined : OTHER_PAGE;
}

/** Host and port of an origin; `undefined` for one that has none, as that of a sandboxed page. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
