import { validateHeaderValue } from 'node:http';
import type { Attempt } from '@longwire/client';
import { usageError } from './usage-error.js';

/**
 * Reads `Name: value` of every `--header`; of one name the last is taken. Names are lower-cased.
 * What a header may hold is checked by the client.
 *
 * @throws LongwireError (usage) that repeats nothing of the value.
 */
export function parseHeaders(words: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const word of words) {
    const colon = word.indexOf(':');
    // What lacks the colon may as well be a key that was pasted alone: it is not repeated.
    if (colon < 1) throw usageError("--header wants 'Name: value', with a colon after the name");
    headers.set(word.slice(0, colon).trim().toLowerCase(), word.slice(colon + 1).trim());
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
  apiKey?: string | undefined;
  serverOrigin?: string | undefined;
  /** Told of every request that is about to go out. */
  onRequest?: (attempt: Attempt) => void;
}): (attempt: Attempt) => Record<string, string> {
  const { headers, apiKey, serverOrigin, onRequest } = options;
  if (apiKey !== undefined) checkApiKey(apiKey);
  return (attempt) => {
    onRequest?.(attempt);
    const { url, dialect } = attempt;
    if (apiKey === undefined || url.origin !== serverOrigin) return { ...headers };
    return {
      ...(dialect !== 'tool-events' && { authorization: `Bearer ${apiKey}` }),
      ...(dialect !== 'sse' && { api_key: apiKey }),
      ...headers,
    };
  };
}

function checkApiKey(apiKey: string): void {
  try {
    validateHeaderValue('api_key', apiKey);
  } catch {
    const message = 'MCP_API_KEY holds a character that no header may hold, such as a line break';
    throw usageError(message, { code: 'config' });
  }
}
