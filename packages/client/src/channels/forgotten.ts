import { ConnectionLostError, HttpStatusError, type LongwireError } from '../errors.js';

/** How a 400 says that the session is gone, and not that the message is wrong. */
const NO_SESSION: readonly RegExp[] = [
  /\b(no|unknown|invalid|expired|could not find|cannot find)\s+(\w+\s+){0,3}session([ _-]?id)?\b/i,
  /\bsession([ _-]?id)?\s+(\S+\s+){0,3}(not found|unknown|invalid|expired|terminated|ended|closed|gone|does not exist)\b/i,
  /\bno (active )?(sse )?(transport|connection)\b/i,
];

/**
 * Whether the answer to a POST says that its session is gone: with 404, or as the first servers
 * of HTTP+SSE do, with 400 and words such as `No transport found for sessionId`.
 */
export function isForgotten(error: LongwireError): error is HttpStatusError {
  if (!(error instanceof HttpStatusError)) return false;
  if (error.status === 404) return true;
  return error.status === 400 && NO_SESSION.some((pattern) => pattern.test(error.excerpt));
}

/** The server knows the session no more, and so did not run what was sent to it. */
export function forgottenError(url: URL, cause: HttpStatusError): ConnectionLostError {
  return new ConnectionLostError(`${url.origin} has forgotten the session: ${cause.summary}`, {
    certainty: 'refused',
    cause,
  });
}
