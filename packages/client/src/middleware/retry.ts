import { withoutIdentity, type McpRequest, type McpResponse, type Middleware } from './contract.js';
import {
  isAway,
  isRefusal,
  resendDecision,
  resendDelayMs,
  retryAfterOf,
} from '../connection/retry.js';
import { LongwireError, ServerError } from '../errors.js';
import { mayRunTwice } from './may-run-twice.js';
import { pause } from './waiting.js';
import { checkOptions, withDefaults, type DefaultTable } from '../options/option.js';

/** Options of {@link retry}. */
export interface RetryCallOptions {
  /** How often a request is made, the first time included. Default 3. */
  maxAttempts?: number;
  /**
   * The delay before the second time, in milliseconds; it doubles with every further one. Each
   * delay is drawn between the half and the whole of that. Default 250.
   */
  firstDelayMs?: number;
  /** The longest delay, in milliseconds. Default 10 000. */
  maxDelayMs?: number;
  /**
   * Which errors, and which results with `isError: true`, lead to another attempt, of those that
   * allow one. By default: servers that cannot be reached or answer `Retry-After`, a queue that is
   * full, and JSON-RPC's internal errors; no `isError`.
   */
  retryOn?: (answer: LongwireError | McpResponse, request: McpRequest) => boolean;
  /** Draws a delay from its range; from 0 to 1. Default: `Math.random`. */
  random?: () => number;
}

/** Every option of a retry. */
export const RETRY_CALL: DefaultTable<RetryCallOptions> = {
  maxAttempts: { kind: 'whole', default: 3 },
  firstDelayMs: { kind: 'duration', default: 250 },
  maxDelayMs: { kind: 'duration', default: 10_000 },
  retryOn: { kind: 'function', default: isPassing },
  random: { kind: 'function', default: () => Math.random(), otherwise: '`Math.random`' },
};

/** JSON-RPC errors of a server that failed, by their numbers: internal, unnamed, timed out. */
const SERVER_FAILED: ReadonlySet<number> = new Set([-32603, -32000, -32001]);

/**
 * Makes a request again, after a delay, where that does no harm:
 *
 * - A request that has not run (`not-sent`, `refused`) may be repeated.
 * - A request that the server has answered, with an error or with `isError: true`, may be repeated only
 *   if it may run twice: the program said `idempotent`, the method only reads, or the server's
 *   annotations say so of a tool that was listed.
 * - A request that may have run without an answer (`outcome-unknown`) is never repeated here, nor are
 *   the connection's own requests.
 *
 * `Retry-After` sets the delay; one beyond `maxDelayMs` ends the attempts. A response says in
 * `metadata.attempts` how many there were, if more than one. All attempts share the call's time.
 *
 * @throws TypeError that names a wrong option.
 */
export function retry(options: RetryCallOptions = {}): Middleware {
  checkOptions(options, RETRY_CALL, 'retry');
  const { retryOn, ...rest } = withDefaults(RETRY_CALL, options);
  const { maxAttempts, maxDelayMs } = rest;
  const policy = { ...rest, firstConnect: false };

  /** The delay before the next attempt; `undefined` if there is none. */
  const delayMs = (
    request: McpRequest,
    answer: LongwireError | McpResponse,
    attempt: number,
  ): number | undefined => {
    if (attempt >= maxAttempts || request.signal.aborted) return undefined;
    if (!mayRepeat(request, answer) || !retryOn(answer, request)) return undefined;
    const askedMs = answer instanceof LongwireError ? retryAfterOf(answer) : undefined;
    if (askedMs !== undefined && askedMs > maxDelayMs) return undefined;
    return resendDelayMs(policy, attempt, askedMs);
  };

  return withoutIdentity(async (request, next) => {
    for (let attempt = 1; ; attempt++) {
      let waitMs: number | undefined;
      try {
        const response = await next();
        waitMs = isFailure(response) ? delayMs(request, response, attempt) : undefined;
        if (waitMs === undefined) {
          if (attempt > 1) response.metadata['attempts'] = attempt;
          return response;
        }
      } catch (error) {
        if (request.internal || !(error instanceof LongwireError)) throw error;
        waitMs = delayMs(request, error, attempt);
        if (waitMs === undefined) throw error;
      }
      await pause(waitMs, request.signal);
    }
  });
}

function isFailure({ result }: McpResponse): boolean {
  return result['isError'] === true;
}

/** Whether repeating the request does no harm. */
function mayRepeat(request: McpRequest, answer: LongwireError | McpResponse): boolean {
  if (request.internal) return false;
  const certainty = answer instanceof LongwireError ? answer.certainty : 'answered';
  if (certainty === 'outcome-unknown') return false;
  return certainty !== 'answered' || mayRunTwice(request);
}

/** Whether the next attempt may succeed. */
function isPassing(answer: LongwireError | McpResponse): boolean {
  if (!(answer instanceof LongwireError)) return false;
  if (answer instanceof ServerError) return SERVER_FAILED.has(answer.number);
  if (answer.code === 'closed') return false;
  if (answer.code === 'queue-full' || resendDecision(answer).next !== 'fail') return true;
  // The connection has dialled as often as it may, and no answer was final.
  return answer.certainty === 'not-sent' && isAway(answer) && !isRefusal(answer);
}
