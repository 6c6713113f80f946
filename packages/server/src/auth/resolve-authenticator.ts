import { INTERNAL_ERROR } from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import { inspect } from 'node:util';
import { logRefusal } from '../refusal-log.js';
import type { RateLimit, RateStore } from '../limits/rate-store.js';
import { ANONYMOUS, type Principal } from '../principal.js';
import { RefusedError } from '../refusal.js';
import { Attempts } from './attempts.js';
import { AuthenticationError, unauthorized } from './authentication-error.js';
import type { Authenticate, Authenticator } from './authenticator.js';
import { hasCredential, withoutCredentials } from './credentials.js';
import { principalProblem } from './principals.js';

/** What an authenticator is given beside its value. */
export interface ResolveAuthenticatorOptions {
  /** Counts failed attempts; without it they are not limited. */
  readonly rates?: RateStore;
  /** How many attempts of one address may fail. Default: 20 in 60 s. */
  readonly attempts?: RateLimit;
}

/**
 * The `auth` option, as an authenticator that only refuses: whatever goes wrong becomes an answer and a
 * log line.
 *
 * - Without the option everybody is `anonymous`.
 * - What a function throws becomes 401, unless it is a `RefusedError`.
 * - A value that is no principal becomes 500; the log says what is wrong with it.
 * - An address that fails too often is answered with 429.
 *
 * @throws TypeError when the value is neither an authenticator nor a function.
 */
export function resolveAuthenticator(
  auth: Authenticate | undefined,
  { rates, attempts }: ResolveAuthenticatorOptions = {},
): Authenticator {
  if (auth === undefined) return { authenticate: () => ANONYMOUS };
  const authenticator = toAuthenticator(auth);
  const counted = rates === undefined ? undefined : new Attempts(rates, attempts);
  return {
    authenticate: (request) => authenticate(request, authenticator, counted),
    register: (app, mount) => authenticator.register?.(app, mount),
  };
}

/**
 * A function alone as an authenticator.
 *
 * @throws TypeError when the value is neither.
 */
export function toAuthenticator(auth: Authenticate): Authenticator {
  if (typeof auth === 'function') return { authenticate: auth };
  if (typeof auth === 'object' && typeof auth?.authenticate === 'function') return auth;
  throw new TypeError(
    'auth must be an authenticator (apiKeys, jwt) or a function that returns the principal',
  );
}

async function authenticate(
  request: FastifyRequest,
  authenticator: Authenticator,
  attempts: Attempts | undefined,
): Promise<Principal> {
  const isAttempt = hasCredential(request);
  try {
    if (isAttempt) attempts?.check(request);
    return checked(await authenticator.authenticate(request));
  } catch (error) {
    const refused = asRefused(error, request);
    const { failure, refusal } = refused;
    if (isAttempt && failure.isGuess) await attempts?.count(request);
    const { reason, error: cause } = failure;
    logRefusal(request, refusal, {
      reason,
      level: refusal.status >= 500 ? 'error' : isAttempt ? 'warn' : 'info',
      ...(refusal.status >= 500 &&
        cause !== undefined && { cause: withoutCredentials(textOf(cause), request) }),
    });
    throw refused;
  }
}

function checked(value: Principal): Principal {
  const problem = principalProblem(value);
  if (problem === undefined) return value;
  throw new AuthenticationError(
    {
      status: 500,
      code: INTERNAL_ERROR,
      message: 'The request could not be authenticated: the log of the server says why',
    },
    { reason: problem, isGuess: false },
  );
}

/** An error with its causes and stacks. */
function textOf(error: unknown): string {
  return inspect(error, { depth: 4 }).slice(0, 4_000);
}

function asRefused(error: unknown, request: FastifyRequest): AuthenticationError {
  if (error instanceof AuthenticationError) return error;
  if (error instanceof RefusedError) {
    const { refusal } = error;
    const isGuess = refusal.status === 401;
    return new AuthenticationError(refusal, { reason: 'refused by auth', isGuess });
  }
  const said = error instanceof Error ? `${error.name}: ${error.message}` : 'not an Error';
  const reason = `auth threw ${withoutCredentials(said.slice(0, 1_000), request)}`;
  return unauthorized('The request is not authenticated', { reason, isGuess: true });
}
