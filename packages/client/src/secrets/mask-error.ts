import type { JSONRPCErrorResponse } from '@modelcontextprotocol/client';
import { ConnectError, HttpStatusError, LongwireError } from '../errors.js';
import type { KnownSecrets } from './known-secrets.js';

/** How far a chain of causes is followed: an error may be its own cause. */
const MAX_CAUSES = 8;

/**
 * Replaces known secrets in an error, and in its causes: a server may repeat what it was sent. It is the
 * same object, so that comparing it still works. Hints are ours and are kept.
 */
export function maskError<T>(error: T, secrets: KnownSecrets): T {
  let cause: unknown = error;
  for (let depth = 0; cause instanceof Error && depth < MAX_CAUSES; depth++) {
    maskOne(cause, secrets);
    cause = cause.cause;
  }
  return error;
}

/** An error of a server with its secrets replaced; the same object where there are none. */
export function maskServerError(
  error: JSONRPCErrorResponse['error'],
  secrets: KnownSecrets,
): JSONRPCErrorResponse['error'] {
  const message = typeof error.message === 'string' ? secrets.mask(error.message) : error.message;
  const masked = { ...error, message };
  return 'data' in error ? { ...masked, data: secrets.maskValue(error.data) } : masked;
}

function maskOne(error: Error, secrets: KnownSecrets): void {
  if (!(error instanceof LongwireError)) {
    setMessage(error, secrets.mask(error.message));
    // What undici's parser could not read.
    const { data } = error as { data?: unknown };
    if (typeof data === 'string' && secrets.mask(data) !== data)
      set(error, { data: secrets.mask(data) });
    return;
  }
  let { summary } = error;
  if (error instanceof HttpStatusError) {
    // It may have been cut in the middle of a secret.
    const excerpt = secrets.maskCut(error.excerpt);
    if (excerpt !== error.excerpt) {
      summary = summary.replace(error.excerpt, () => excerpt);
      Object.assign(error, { excerpt });
    }
  }
  if (error instanceof ConnectError) {
    const tried = error.tried.map((each) => ({ ...each, outcome: secrets.mask(each.outcome) }));
    Object.assign(error, { tried });
  }
  summary = secrets.mask(summary);
  if (summary === error.summary) return;
  Object.assign(error, { summary });
  setMessage(error, error.hint === undefined ? summary : `${summary}; ${error.hint}`);
}

function setMessage(error: Error, message: string): void {
  const before = error.message;
  if (message === before) return;
  // The stack was made with the error, and begins with the message.
  set(error, { message, stack: error.stack?.replace(before, () => message) });
}

/** An error that a program threw may be frozen. It is then left as it is. */
function set(error: Error, properties: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(properties)) {
    Reflect.defineProperty(error, name, { value, configurable: true, writable: true });
  }
}
