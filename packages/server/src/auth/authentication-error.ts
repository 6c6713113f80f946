import { RefusedError, SERVER_ERROR, type Refusal } from '../refusal.js';
import { bearerChallenge, type Challenge } from './challenge.js';

/** Why a request is not authenticated, for the log. */
export interface AuthenticationFailure {
  /** In a few words and without secrets. The client is not told. */
  readonly reason: string;
  /** Whether it may have been an attempt to find a credential: attempts of one address are limited. */
  readonly isGuess: boolean;
  readonly error?: unknown;
}

/** Refuses a request that is not authenticated; its reason goes to the log, not to the client. */
export class AuthenticationError extends RefusedError {
  readonly failure: AuthenticationFailure;

  constructor(refusal: Refusal, failure: AuthenticationFailure) {
    super(refusal);
    this.name = 'AuthenticationError';
    this.failure = failure;
  }
}

/** 401 with `WWW-Authenticate`. The message says what to send, and never what was wrong. */
export function unauthorized(
  message: string,
  failure: AuthenticationFailure,
  challenge: Challenge = {},
): AuthenticationError {
  const headers = { 'www-authenticate': bearerChallenge(challenge) };
  return new AuthenticationError({ status: 401, code: SERVER_ERROR, message, headers }, failure);
}

/** 503: who it is cannot be found out now, and the credential may be good. */
export function unavailable(
  message: string,
  { reason, error, retryAfterMs }: { reason: string; error: unknown; retryAfterMs: number },
): AuthenticationError {
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) };
  return new AuthenticationError(
    { status: 503, code: SERVER_ERROR, message, headers },
    { reason, isGuess: false, error },
  );
}
