import { ConnectionLostError, HttpStatusError, type LongwireError } from '../errors.js';

/** How a 400 of a server that knows no ping says that the session is gone. */
const NO_SESSION: readonly RegExp[] = [
  /\b(no|unknown|invalid|expired|could not find|cannot find)\s+((valid|active|such|matching|mcp|sse|transport found for)\s+)*session([ _-]?id)?\b/i,
  /\bsession([ _-]?id)?\s+(\S+\s+){0,2}(not found|unknown|invalid|expired|terminated|ended|closed|gone|missing|required|does not exist)\b/i,
  /\bno (active )?(sse )?transport\b/i,
  // A server with one session for all, started anew.
  /\bserver (is )?not (yet )?initialized\b/i,
];

/** How it says that the message is wrong, whatever it calls a session. */
const WRONG_MESSAGE = /\b(argument|param|parameter|tool|method)s?\b/i;

/** The answer to one message, by its id. One about the session has the id `null`, or none. */
const ANSWER = /"jsonrpc"\s*:\s*"2\.0".*"id"\s*:\s*"?\d|"id"\s*:\s*"?\d.*"jsonrpc"\s*:\s*"2\.0"/;

/**
 * Whether the answer to a POST says for certain that its session is gone: nothing is found where the
 * server said that the session is. All other refusals only may say so, and the session is asked.
 */
export function isForgotten(error: LongwireError): error is HttpStatusError {
  return error instanceof HttpStatusError && error.status === 404 && !ANSWER.test(error.excerpt);
}

/** Whether a 400 says in words that there is no such session, where it cannot be asked. */
export function saysForgotten(error: LongwireError): error is HttpStatusError {
  if (!(error instanceof HttpStatusError) || error.status !== 400) return false;
  const { excerpt } = error;
  return (
    !ANSWER.test(excerpt) &&
    NO_SESSION.some((pattern) => pattern.test(excerpt)) &&
    !WRONG_MESSAGE.test(excerpt)
  );
}

/** The server knows the session no more, and so did not run what was sent to it. */
export function forgottenError(url: URL, cause: HttpStatusError): ConnectionLostError {
  return new ConnectionLostError(`${url.origin} has forgotten the session: ${cause.summary}`, {
    certainty: 'refused',
    cause,
  });
}
