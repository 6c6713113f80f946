import { usageError } from './usage-error.js';

/** Whether a word of the command line names a server: it is one if it is a URL. */
export function isTarget(word: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(word);
}

/**
 * The URL of a target.
 *
 * @throws LongwireError (usage) that says what a target looks like. `source` is where it was read.
 */
export function parseTarget(word: string, source: string = 'target'): URL {
  const url = URL.canParse(word) ? new URL(word) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  if (isTarget(word)) {
    const reason = url === undefined ? 'is not a valid URL' : 'is neither http:// nor https://';
    throw usageError(`${source} "${word}" ${reason}`, { code: 'config' });
  }
  const hint = looksLikeAddress(word)
    ? `it lacks the scheme: write http://${word}`
    : 'write a URL such as http://127.0.0.1:3001/sse';
  throw usageError(`${source} "${word}" is not a server: ${hint}`, { code: 'config' });
}

/** Whether a word is an address that lacks only its scheme, such as `127.0.0.1:3001/sse`. */
export function looksLikeAddress(word: string): boolean {
  return (
    /^(?:[\w.-]+|\[[\da-f:]+\]):\d{1,5}(?:\/|$)/i.test(word) ||
    /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3})(?:\/|$)/i.test(word)
  );
}
