import { isSafe } from '../connection/safety.js';
import { checkGroup, checkPositive } from '../connection/options.js';
import {
  withoutIdentity,
  type McpRequest,
  type McpResponse,
  type Middleware,
} from '../connection/middleware.js';
import { isAway, isRefusal, judgeSend, resendDelayMs, retryAfterOf } from '../connection/retry.js';
import { LongwireError, ServerError } from '../errors.js';
import { checkFunction, checkWhole } from './option-checks.js';
import { ToolHints } from './tools.js';
import { pause } from './waiting.js';

/** Options of {@link retry}. */
export interface RetryCallOptions {
  /** How often a request is made, the first time included. Default 3. */
  attempts?: number;
  /**
   * The delay before the second time, in milliseconds; it doubles with every further one. Each
   * delay is drawn between the half and the whole of that. Default 250.
   */
  firstDelayMs?: number;
  /** The longest delay, in milliseconds. Default 10 000. */
  maxDelayMs?: number;
  /**
   * Which errors, and which results with `isError: true`, are worth another time, of those that
   * allow one. Default: servers that are away or ask for patience, a queue that is full, and
   * JSON-RPC's internal errors; no `isError`.
   */
  retryOn?: (answer: LongwireError | McpResponse, request: McpRequest) => boolean;
  /** From 0 to 1: where in its range a delay lies. Default `Math.random`. */
  random?: () => number;
}

/** JSON-RPC errors of a server that failed, by their numbers: internal, unnamed, timed out. */
const SERVER_FAILED: ReadonlySet<number> = new Set([-32603, -32000, -32001]);

/**
 * Makes a request again, after a delay, where that does no harm. What has not run (`not-sent`,
 * `refused`) may be repeated; what the server has answered, with an error or with `isError: true`,
 * only if it may run twice: the program said `idempotent`, the method only looks, or the server's
 * annotations say so of the tool, as far as `tools/list` has passed by. What may have run without
 * an answer (`outcome-unknown`) is never repeated here, nor are the connection's own requests.
 *
 * `Retry-After` is heeded; one beyond `maxDelayMs` ends it. A response says in `metadata.attempts`
 * how many there were, if more than one. All attempts share the call's time.
 *
 * @throws TypeError that names a wrong option.
 */
export function retry(options: RetryCallOptions = {}): Middleware {
  checkGroup('retry', options, ['attempts', 'firstDelayMs', 'maxDelayMs', 'retryOn', 'random']);
  const { attempts = 3, firstDelayMs = 250, maxDelayMs = 10_000 } = options;
  const { retryOn = isPassing, random = Math.random } = options;
  checkWhole('retry.attempts', attempts);
  checkPositive('retry.firstDelayMs', firstDelayMs);
  checkPositive('retry.maxDelayMs', maxDelayMs);
  checkFunction('retry.retryOn', retryOn);
  checkFunction('retry.random', random);
  const policy = { maxAttempts: attempts, firstDelayMs, maxDelayMs, firstConnect: false, random };
  const hints = new ToolHints();

  /** How long to wait for another time, or nothing if there is none. */
  const delayMs = (
    request: McpRequest,
    answer: LongwireError | McpResponse,
    attempt: number,
  ): number | undefined => {
    if (attempt >= attempts || request.signal.aborted) return undefined;
    if (!mayRepeat(request, answer, hints) || !retryOn(answer, request)) return undefined;
    const askedMs = answer instanceof LongwireError ? retryAfterOf(answer) : undefined;
    if (askedMs !== undefined && askedMs > maxDelayMs) return undefined;
    return resendDelayMs(policy, attempt, askedMs);
  };

  return withoutIdentity(async (request, next) => {
    for (let attempt = 1; ; attempt++) {
      let waitMs: number | undefined;
      try {
        const response = await next();
        hints.learn(request, response.result);
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

/** Whether the request may be made again, whoever wants it. */
function mayRepeat(
  request: McpRequest,
  answer: LongwireError | McpResponse,
  hints: ToolHints,
): boolean {
  if (request.internal) return false;
  const certainty = answer instanceof LongwireError ? answer.certainty : 'answered';
  if (certainty === 'outcome-unknown') return false;
  if (certainty !== 'answered') return true;
  const { method, params, idempotent } = request;
  return isSafe({ request: { method, params }, mark: { certainty, idempotent } }, (tool) =>
    hints.isRepeatable(request, tool),
  );
}

/** Whether it may go better the next time. */
function isPassing(answer: LongwireError | McpResponse): boolean {
  if (!(answer instanceof LongwireError)) return false;
  if (answer instanceof ServerError) return SERVER_FAILED.has(answer.number);
  if (answer.code === 'closed') return false;
  if (answer.code === 'queue-full' || judgeSend(answer).next !== 'fail') return true;
  // The connection has dialled as often as it may, and it was told nothing final.
  return answer.certainty === 'not-sent' && isAway(answer) && !isRefusal(answer);
}
