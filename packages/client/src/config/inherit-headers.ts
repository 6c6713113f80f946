import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isReservedHeader } from '../http/headers.js';

/** Headers as Node or the Fetch API have them. */
export type IncomingHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | Iterable<readonly [string, string]>;

/**
 * Picks the headers of an incoming request that may be sent on to a server: those in `allow`, in any
 * letter case. Never picked are:
 *
 * - headers of one connection: `Host`, hop-by-hop ones and what `Connection` names
 * - headers of one body: `Content-*`, `Accept*`
 * - `Cookie` and `Set-Cookie`
 * - values that are empty or that no header may have
 *
 * Names are in lower case, values of one name are joined by `, `. The input is not changed.
 */
export function inheritHeaders(
  incoming: IncomingHeaders,
  allow: readonly string[],
): Record<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of entriesOf(incoming)) {
    const key = name.toLowerCase();
    const text = typeof value === 'string' ? value : value?.join(', ');
    if (text === undefined || text.trim() === '') continue;
    const earlier = values.get(key);
    values.set(key, earlier === undefined ? text : `${earlier}, ${text}`);
  }
  const named = (values.get('connection') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  const wanted = [...new Set(allow.map((name) => name.toLowerCase()))];
  return Object.fromEntries(
    wanted.flatMap((name) => {
      const value = values.get(name);
      const passes = value !== undefined && !named.includes(name) && mayPass(name, value);
      return passes ? [[name, value]] : [];
    }),
  );
}

function entriesOf(
  headers: IncomingHeaders,
): Iterable<readonly [string, string | readonly string[] | undefined]> {
  return Symbol.iterator in headers
    ? (headers as Iterable<readonly [string, string]>)
    : Object.entries(headers);
}

function mayPass(name: string, value: string): boolean {
  if (isReservedHeader(name) || /^(content-|accept|(set-)?cookie2?$|trailers?$)/.test(name))
    return false;
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
