import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isReservedHeader } from '../channels/headers.js';

/** Headers as Node or the Fetch API have them. */
export type IncomingHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | Iterable<readonly [string, string]>;

/**
 * Takes of the headers of an incoming request those that may be passed on to a server: the ones in
 * `allow`, in any letter case, and never those that belong to the one connection (`Host`, hop-by-hop
 * ones and what `Connection` names), to the one body (`Content-*`, `Accept*`), or that are `Cookie`
 * and `Set-Cookie`. What may not be in a header or is empty is left out, too. Names come in lower case,
 * values of one name joined by `, `; what was given is not changed.
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
