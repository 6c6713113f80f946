import { SERVER_ERROR, type Refusal } from '../refusal.js';
import type { RateLimit } from './rate-store.js';
import type { QueueLimits } from './work-queue.js';

/** A limit, and where it is set. */
export interface NamedRate {
  /** The option, such as `rates.perPrincipal`. */
  readonly option: string;
  readonly limit: RateLimit;
}

/** Too many calls or requests in too short a time. */
export function overRate({ option, limit }: NamedRate, retryAfterMs: number): Refusal {
  const retryAfter = seconds(retryAfterMs);
  return {
    status: 429,
    code: SERVER_ERROR,
    message: `More than ${limit.max} in ${limit.windowMs} ms (${option}): try again in ${retryAfter} s`,
    headers: { 'retry-after': String(retryAfter) },
    data: { reason: 'rate-limited', option, retryAfterMs: Math.ceil(retryAfterMs) },
  };
}

/** A queue, as its refusals name it. */
export interface NamedQueue {
  /** The tool or the pattern. */
  readonly queue: string;
  readonly limits: QueueLimits;
  /** Whether its calls run in workers, and there is none. */
  readonly hasNoWorker?: boolean;
}

/** Nobody may wait in this queue before somebody else has left it. */
export function queueFull({ queue, limits }: NamedQueue): Refusal {
  return busy(`${limits.maxQueued} calls wait for ${queue} (maxQueued): try again later`, {
    reason: 'queue-full',
    queue,
  });
}

/** One principal must not use up a queue. */
export function principalQueueFull({ queue, limits }: NamedQueue): Refusal {
  return busy(
    `${limits.perPrincipal} calls of yours run or wait for ${queue} (perPrincipal): wait for their answers`,
    { reason: 'principal-queue-full', queue },
  );
}

/** It waited for as long as it may. */
export function queueTimeout({ queue, limits, hasNoWorker = false }: NamedQueue): Refusal {
  const why = hasNoWorker ? ': no worker takes its calls now' : '';
  return busy(
    `The call waited for ${queue} for ${limits.timeoutMs} ms (timeoutMs) and did not run${why}`,
    { reason: hasNoWorker ? 'no-worker' : 'queue-timeout', queue },
  );
}

/** Nobody knows who waits. */
export function queueAway({ queue }: NamedQueue): Refusal {
  return busy(`The queue of ${queue} cannot be reached now, and the call did not run`, {
    reason: 'queue-away',
    queue,
  });
}

/** It was cancelled while it waited; whoever cancelled it sees no answer. */
export function cancelledInQueue({ queue }: NamedQueue): Refusal {
  return {
    status: 503,
    code: SERVER_ERROR,
    message: `The call was cancelled while it waited for ${queue}`,
    data: { reason: 'cancelled', queue },
  };
}

/** The process is too busy for anything new. */
export function overloaded(retryAfterMs: number): Refusal {
  const retryAfter = seconds(retryAfterMs);
  return {
    status: 503,
    code: SERVER_ERROR,
    message: `The server is overloaded and takes nothing new now (shed): try again in ${retryAfter} s`,
    headers: { 'retry-after': String(retryAfter) },
    data: { reason: 'overloaded', retryAfterMs },
  };
}

/** How long somebody should wait before asking a full queue again: nobody knows when it has room. */
const BUSY_RETRY_MS = 5_000;

function busy(message: string, data: Readonly<Record<string, unknown>>): Refusal {
  return {
    status: 503,
    code: SERVER_ERROR,
    message,
    headers: { 'retry-after': String(seconds(BUSY_RETRY_MS)) },
    data: { ...data, retryAfterMs: BUSY_RETRY_MS },
  };
}

/** Whole seconds, as `Retry-After` has them: never 0, and never too soon. */
function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1_000));
}
