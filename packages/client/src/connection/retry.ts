import { HttpStatusError, LongwireError, type ErrorCode } from '../errors.js';

/** How often and how soon to dial again. */
export interface RetryPolicy {
  /** Dials without an answer in between, until the connection rests. */
  maxAttempts: number;
  /** The delay before the first of them; it doubles from one to the next. */
  firstDelayMs: number;
  /** The longest delay, whatever the server asks for. */
  maxDelayMs: number;
  /** Whether the very first dial is repeated, too. */
  firstConnect: boolean;
  /** From 0 to 1: where in its range a delay lies. */
  random: () => number;
}

/** Errors of a dial that will meet the next one, too. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'unauthorized',
  'forbidden',
  'config',
  'protocol',
  'limit-exceeded',
]);

/** Errors of a dial to a server that is not there now, and may be later. */
const AWAY: ReadonlySet<ErrorCode> = new Set([
  'connect-failed',
  'connect-timeout',
  'connection-lost',
  'http-status',
]);

/** HTTP statuses that promise: not now, and not done. */
const NOT_NOW: ReadonlySet<number> = new Set([408, 425, 429, 503]);

/**
 * The delay before a dial, in milliseconds. It doubles with every attempt, and lies between the
 * half and the whole of that, so that the clients of one server do not all come back at once. What
 * the server asked for is the least, up to `maxDelayMs`.
 */
export function dialDelayMs(policy: RetryPolicy, attempt: number, askedMs = 0): number {
  return Math.max(backoffMs(policy, attempt), Math.min(askedMs, policy.maxDelayMs));
}

/**
 * The delay before a request that the server put off is sent again, in milliseconds. What the
 * server asked for is the least, without a limit: the request has its own.
 */
export function resendDelayMs(policy: RetryPolicy, attempt: number, askedMs = 0): number {
  return Math.max(backoffMs(policy, attempt), askedMs);
}

function backoffMs({ firstDelayMs, maxDelayMs, random }: RetryPolicy, attempt: number): number {
  const wholeMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
  return Math.round((wholeMs * (1 + random())) / 2);
}

/** Whether it is no use to dial again after this failure. */
export function isFinal({ code }: LongwireError): boolean {
  return FINAL.has(code);
}

/** Whether a server that a dial failed to reach like this is worth waiting for. */
export function isAway(error: LongwireError): boolean {
  const root = rootOf(error);
  if (AWAY.has(error.code) || hasEndedEarly(error)) return true;
  return root instanceof HttpStatusError && root.status >= 500;
}

/**
 * Whether the server would not have the dial as it was, so that it need not be asked the same
 * again. What stands in front of a server that is away says nothing of it.
 */
export function isRefusal(error: LongwireError): boolean {
  const root = rootOf(error);
  if (root instanceof HttpStatusError) {
    return !NOT_NOW.has(root.status) && !isGateway(root.status);
  }
  return error.code === 'not-mcp' && !hasEndedEarly(error);
}

/** Whether the server is there and the credentials do, and only what was said is not liked. */
export function isObjection(error: unknown): error is HttpStatusError {
  if (!(error instanceof HttpStatusError)) return false;
  const { code, status } = error;
  return code === 'http-status' && status >= 400 && !NOT_NOW.has(status) && !isGateway(status);
}

/** Statuses by which what stands in front of a server says that it does not reach it. */
export function isGateway(status: number): boolean {
  return status >= 502 && (status <= 504 || (status >= 520 && status <= 527));
}

/** Whether a stream was opened, and ended before it said anything. */
export function hasEndedEarly(error: LongwireError): boolean {
  return error.code === 'not-mcp' && rootOf(error).code === 'connection-lost';
}

/** How long the server asked to be left alone, in milliseconds. */
export function retryAfterOf(error: LongwireError): number | undefined {
  const root = rootOf(error);
  return root instanceof HttpStatusError ? root.retryAfterMs : undefined;
}

/** What a failure began with; the errors around it say what it meant to whoever met it. */
function rootOf(error: LongwireError): LongwireError {
  return error.cause instanceof LongwireError ? rootOf(error.cause) : error;
}

/** What to do with a request whose sending failed. */
export type SendVerdict =
  /** It did not run; the channel is ending, and the request goes out on the next one. */
  | { next: 'next-channel' }
  /** It did not run; it is sent again after a while, at least as long as asked. */
  | { next: 'later'; askedMs: number | undefined }
  /** It may have run. */
  | { next: 'unknown' }
  /** It fails with this error. */
  | { next: 'fail' };

/** Judges, by code and certainty alone, a failure to send a request. */
export function judgeSend(error: LongwireError): SendVerdict {
  const { code, certainty } = error;
  const isLost = code === 'connection-lost' || code === 'closed';
  if (isLost && certainty !== 'answered') {
    return { next: certainty === 'outcome-unknown' ? 'unknown' : 'next-channel' };
  }
  if (certainty === 'not-sent' && (code === 'connect-failed' || code === 'connect-timeout')) {
    return { next: 'later', askedMs: undefined };
  }
  if (!(error instanceof HttpStatusError)) return { next: 'fail' };
  if (certainty === 'refused' && NOT_NOW.has(error.status)) {
    return { next: 'later', askedMs: error.retryAfterMs };
  }
  // What stands in front of a server that is started anew says that it is away.
  if (isGateway(error.status)) return { next: 'unknown' };
  return { next: 'fail' };
}
