import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { OutgoingRequest } from '@longwire/client';
import { isCredentialName, isReservedHeader } from '@longwire/client/internal';
import { usageError } from './command-error.js';

/**
 * The credentials of a request: from `--header`, a header of a configuration file, MCP_API_KEY, a login,
 * or none; `key-withheld` if the key was not sent there.
 */
export type Credentials = 'header' | 'configured' | 'key' | 'key-withheld' | 'login' | 'none';

/**
 * Reads `Name: value` of every `--header`; of one name the last is taken. Names are lower-cased.
 *
 * @throws LongwireError (usage) that repeats nothing of the value.
 */
export function parseHeaders(words: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const word of words) {
    const colon = word.indexOf(':');
    // A word without a colon may be a key that was pasted alone: it is not repeated.
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
 * The headers of each request: those of `--header`, and the API key. The key is sent to `serverOrigin`
 * only: in every header that may be read as long as the transport is unknown, then in the right one.
 * A header that the user gave is never replaced.
 */
export function requestHeaders(options: {
  headers: Readonly<Record<string, string>>;
  /** Of a configuration file; `headers` go over them. Default: none. */
  configured?: Readonly<Record<string, string>> | undefined;
  apiKey?: string | undefined;
  serverOrigin?: string | undefined;
  /** Called before every request is sent. */
  onRequest?: (attempt: OutgoingRequest, credentials: Credentials) => void;
}): (attempt: OutgoingRequest) => Record<string, string> {
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
    const { url, transport } = attempt;
    const sendsKey = apiKey !== undefined && url.origin === serverOrigin;
    const withoutKey = apiKey === undefined ? 'none' : 'key-withheld';
    onRequest?.(attempt, own ?? (sendsKey ? 'key' : withoutKey));
    if (!sendsKey) return { ...headers };
    return {
      ...(transport !== 'tool-events' && { authorization: `Bearer ${apiKey}` }),
      ...((transport === undefined || transport === 'tool-events') && { api_key: apiKey }),
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
