import { hasEndedEarly, rootError, UNREACHABLE } from '../error-facts.js';
import { HttpStatusError, LongwireError, type ErrorCode } from '../errors.js';
import { isGateway, isNotNow } from '../http/status.js';

/** How often, and after which delays, the connection dials again. */
export interface RetryPolicy {
  /** The connection rests after so many dials without an answer between them. */
  maxAttempts: number;
  /** The delay before the first of them; it doubles with each. */
  firstDelayMs: number;
  /** The longest delay, whatever the server asks for. */
  maxDelayMs: number;
  /** Whether the very first dial is repeated as well. */
  firstConnect: boolean;
  /** From 0 to 1: which part of its range a delay takes. */
  random: () => number;
}

/** A dial that failed with one of these would fail again. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'unauthorized',
  'forbidden',
  'config',
  'protocol',
  'limit-exceeded',
]);

/** A dial that failed with one of these may succeed later: `http-status` is what a gateway says. */
const AWAY: ReadonlySet<ErrorCode> = new Set([...UNREACHABLE, 'http-status']);

/**
 * The delay before a dial, in milliseconds. It doubles with every attempt; a random part of its
 * second half is left out, so that the clients of one server do not all return at once. It is at
 * least what the server asked for, but at most `maxDelayMs`.
 */
export function dialDelayMs(policy: RetryPolicy, attempt: number, askedMs = 0): number {
  return Math.max(backoffMs(policy, attempt), Math.min(askedMs, policy.maxDelayMs));
}

/**
 * The delay before a request is resent, in milliseconds. It is at least what the server asked for,
 * without a maximum: the request has its own time limits.
 */
export function resendDelayMs(policy: RetryPolicy, attempt: number, askedMs = 0): number {
  return Math.max(backoffMs(policy, attempt), askedMs);
}

function backoffMs({ firstDelayMs, maxDelayMs, random }: RetryPolicy, attempt: number): number {
  const wholeMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
  return Math.round((wholeMs * (1 + random())) / 2);
}

/** Whether another dial would fail in the same way. */
export function isFinal({ code }: LongwireError): boolean {
  return FINAL.has(code);
}

/** Whether the server is only away, so that requests may wait for it. */
export function isAway(error: LongwireError): boolean {
  const root = rootError(error);
  if (AWAY.has(error.code) || hasEndedEarly(error)) return true;
  return root instanceof HttpStatusError && root.status >= 500;
}

/**
 * Whether the server itself refused the dial, so that the same dial is of no use. A gateway in front
 * of a server that is away says nothing about the server.
 */
export function isRefusal(error: LongwireError): boolean {
  const root = rootError(error);
  if (root instanceof HttpStatusError) {
    return !isNotNow(root.status) && !isGateway(root.status);
  }
  return error.code === 'not-mcp' && !hasEndedEarly(error);
}

/** Whether the server only refused this one message: it is there, and accepts the credentials. */
export function isObjection(error: unknown): error is HttpStatusError {
  if (!(error instanceof HttpStatusError)) return false;
  const { code, status } = error;
  return code === 'http-status' && status >= 400 && !isNotNow(status) && !isGateway(status);
}

/** How long the server asked to wait (`Retry-After`), in milliseconds. */
export function retryAfterOf(error: LongwireError): number | undefined {
  const root = rootError(error);
  return root instanceof HttpStatusError ? root.retryAfterMs : undefined;
}

/** What happens to a request whose sending failed. */
export type ResendDecision =
  /** It did not run, and its channel ends: it is sent on the next channel. */
  | { next: 'next-channel' }
  /** It did not run: it is resent after a delay, at least as long as the server asked for. */
  | { next: 'later'; askedMs: number | undefined }
  /** It may have run. */
  | { next: 'unknown' }
  /** It fails with this error. */
  | { next: 'fail' };

/** Decides about a request whose sending failed, by code and certainty alone. */
export function resendDecision(error: LongwireError): ResendDecision {
  const { code, certainty } = error;
  const isLost = code === 'connection-lost' || code === 'closed';
  if (isLost && certainty !== 'answered') {
    return { next: certainty === 'outcome-unknown' ? 'unknown' : 'next-channel' };
  }
  if (certainty === 'not-sent' && (code === 'connect-failed' || code === 'connect-timeout')) {
    return { next: 'later', askedMs: undefined };
  }
  if (!(error instanceof HttpStatusError)) return { next: 'fail' };
  if (certainty === 'refused' && isNotNow(error.status)) {
    return { next: 'later', askedMs: error.retryAfterMs };
  }
  // A gateway says so while the server restarts.
  if (isGateway(error.status)) return { next: 'unknown' };
  return { next: 'fail' };
}
