import { ConnectionLostError, HttpStatusError, type LongwireError } from '../errors.js';
import { mayAnswerRequest } from './message.js';

/** What a 400 says when the session is lost. */
const NO_SESSION: readonly RegExp[] = [
  /\b(no|unknown|invalid|expired|could not find|cannot find)\s+((valid|active|such|matching|mcp|sse|transport found for)\s+)*session([ _-]?id)?\b/i,
  /\bsession([ _-]?id)?\s+(\S+\s+){0,2}(not found|unknown|invalid|expired|terminated|ended|closed|gone|missing|required|does not exist)\b/i,
  /\bno (active )?(sse )?transport\b/i,
  // A server with one session for all clients, after its restart.
  /\bserver (is )?not (yet )?initialized\b/i,
];

/** What a 400 says when the message is wrong. It may be about a session of another kind. */
const WRONG_MESSAGE = /\b(argument|param|parameter|tool|method)s?\b/i;

/**
 * Whether the response to a POST says for certain that its session is lost: a 404 where the server
 * said that the session is, without an answer to the request. After any other refusal the connection
 * checks the session.
 */
export function isSessionLost(error: LongwireError): error is HttpStatusError {
  return (
    error instanceof HttpStatusError && error.status === 404 && !mayAnswerRequest(error.excerpt)
  );
}

/** Whether a 400 says in words that there is no such session; for a session that cannot be pinged. */
export function saysSessionLost(error: LongwireError): error is HttpStatusError {
  if (!(error instanceof HttpStatusError) || error.status !== 400) return false;
  const { excerpt } = error;
  return (
    !mayAnswerRequest(excerpt) &&
    NO_SESSION.some((pattern) => pattern.test(excerpt)) &&
    !WRONG_MESSAGE.test(excerpt)
  );
}

/** The server does not know the session any more, and so did not run what was sent to it. */
export function sessionLostError(url: URL, cause: HttpStatusError): ConnectionLostError {
  return new ConnectionLostError(
    `${url.origin} does not know the session any more: ${cause.summary}`,
    {
      certainty: 'refused',
      cause,
    },
  );
}
