import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isCredentialName, isReservedHeader, type Attempt } from '@longwire/client';
import { usageError } from './command-error.js';

/**
 * By what a request shows who asks: `--header`, a header of a configuration file, MCP_API_KEY, or
 * nothing; and why not by the key.
 */
export type Credentials = 'header' | 'configured' | 'key' | 'key-withheld' | 'none';

/**
 * Reads `Name: value` of every `--header`; of one name the last is taken. Names are lower-cased.
 *
 * @throws LongwireError (usage) that repeats nothing of the value.
 */
export function parseHeaders(words: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const word of words) {
    const colon = word.indexOf(':');
    // What lacks the colon may as well be a key that was pasted alone: it is not repeated.
    if (colon < 1) throw usageError("--header wants 'Name: value', with a colon after the name");
    const name = word.slice(0, colon).trim().toLowerCase();
    const value = word.slice(colon + 1).trim();
    if (!isAllowed(() => validateHeaderName(name))) {
      throw usageError("--header wants 'Name: value', and this name is not one of a header");
    }
    if (isReservedHeader(name))
      throw usageError(`--header ${name}: HTTP itself sets it, leave it out`);
    if (!isAllowed(() => validateHeaderValue(name, value))) {
      throw usageError(`--header ${name}: its value holds a character that no header may hold`);
    }
    headers.set(name, value);
  }
  return Object.fromEntries(headers);
}

/**
 * The headers of each request: those of `--header`, and the API key where it may go. The key goes
 * to `serverOrigin` only, by every name that a server of an unknown dialect may look for, and by
 * the one right name once the dialect is known. A header that the user gave is never replaced.
 */
export function requestHeaders(options: {
  headers: Readonly<Record<string, string>>;
  /** Of a configuration file; `headers` go over them. Default: none. */
  configured?: Readonly<Record<string, string>> | undefined;
  apiKey?: string | undefined;
  serverOrigin?: string | undefined;
  /** Told of every request that is about to go out. */
  onRequest?: (attempt: Attempt, credentials: Credentials) => void;
}): (attempt: Attempt) => Record<string, string> {
  const { apiKey, serverOrigin, onRequest } = options;
  if (apiKey !== undefined && !isAllowed(() => validateHeaderValue('api_key', apiKey))) {
    const message = 'MCP_API_KEY holds a character that no header may hold, such as a line break';
    throw usageError(message, { code: 'config' });
  }
  const configured = lowerCased(options.configured ?? {});
  const headers = { ...configured, ...options.headers };
  const own = Object.keys(options.headers).some(isCredentialName)
    ? 'header'
    : Object.keys(configured).some(isCredentialName)
      ? 'configured'
      : undefined;
  return (attempt) => {
    const { url, dialect } = attempt;
    const sendsKey = apiKey !== undefined && url.origin === serverOrigin;
    const withoutKey = apiKey === undefined ? 'none' : 'key-withheld';
    onRequest?.(attempt, own ?? (sendsKey ? 'key' : withoutKey));
    if (!sendsKey) return { ...headers };
    return {
      ...(dialect !== 'tool-events' && { authorization: `Bearer ${apiKey}` }),
      ...((dialect === undefined || dialect === 'tool-events') && { api_key: apiKey }),
      ...headers,
    };
  };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function isAllowed(validate: () => void): boolean {
  try {
    validate();
    return true;
  } catch {
    return false;
  }
}
