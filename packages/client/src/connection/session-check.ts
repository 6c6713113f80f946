import {
  METHOD_NOT_FOUND,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
} from '@modelcontextprotocol/client';
import { isAnswer } from '../channels/message.js';
import { HttpStatusError, LongwireError, ServerError } from '../errors.js';
import type { DialedChannel } from './dialed-channel.js';
import { closedError } from './failures.js';
import type { InitializeReplay } from './initialize.js';
import type { LedgerEntry } from './ledger.js';
import type { Port } from './port.js';
import type { RequestContext } from './request-context.js';
import { isGateway, isNotNow } from '../http/status.js';

/** How long a session may take to answer the ping. */
const PING_TIMEOUT_MS = 5000;

/** An error with one of these words may be about the session. The ping tells whether it is. */
const ABOUT_SESSION = /session|not (yet )?initiali[sz]ed|transport/i;

/** What the ping of a session tells. */
export type SessionCheckResult =
  /** The session answers, or nothing says that it does not. */
  | { is: 'there' }
  /** The session refuses the ping as well, for this reason. */
  | { is: 'gone'; reason: LongwireError }
  /** A gateway in front of the server does not reach it. */
  | { is: 'away'; reason: LongwireError };

/** What is needed to ping a session. */
export interface SessionCheckOptions {
  handshake: InitializeReplay;
  port: Port;
  /** Whether the program handles challenges (`auth.onChallenge`). */
  answersChallenges: boolean;
}

/**
 * Finds out whether a session is gone. Servers say so in many ways, and use the same words for other
 * things, so no list of words is enough: the session itself is pinged, which every server answers.
 * One ping serves all requests that were refused meanwhile.
 */
export class SessionCheck {
  readonly #options: SessionCheckOptions;
  #running: { dialed: DialedChannel; result: Promise<SessionCheckResult> } | undefined;

  constructor(options: SessionCheckOptions) {
    this.#options = options;
  }

  /**
   * Whether an error that refused a request may mean that its session is gone. Not if the request
   * was already refused like this on another session. Nor if credentials were refused and somebody
   * handles that: `auth.onChallenge`, or whoever gave the call its headers.
   */
  mayBeGone(
    error: LongwireError,
    { context, doubts }: LedgerEntry,
    dialed: DialedChannel,
  ): boolean {
    if (!(error instanceof HttpStatusError) || error.status < 400 || doubts > 0) return false;
    const { status, code, retryAfterMs } = error;
    if (dialed.channel?.abandon === undefined || context.internal === true) return false;
    if (code !== 'http-status') {
      return !this.#options.answersChallenges && context.headers === undefined;
    }
    return status === 503 ? retryAfterMs === undefined : !isNotNow(status);
  }

  /** Whether an answer may mean that its session is gone. */
  mayMeanGone(
    answer: JSONRPCMessage,
    { context, doubts }: LedgerEntry,
    dialed: DialedChannel | undefined,
  ): boolean {
    if (dialed?.channel?.abandon === undefined || context.internal === true || doubts > 0)
      return false;
    // The session is known to be lost, and this request was run on it.
    if (dialed.drainsAfter !== undefined) return false;
    if (!isAnswer(answer) || !('error' in answer)) return false;
    return ABOUT_SESSION.test(answer.error.message);
  }

  /** Pings the session of a channel, unless it is known to be lost. */
  of(dialed: DialedChannel): Promise<SessionCheckResult> {
    const { drainsAfter: reason } = dialed;
    if (reason !== undefined) return Promise.resolve({ is: 'gone', reason });
    if (this.#running?.dialed === dialed) return this.#running.result;
    const result = this.#ping();
    const running = { dialed, result };
    this.#running = running;
    // A session that is gone stays gone: a refusal that comes late gets the same result.
    void result.then(({ is }) => {
      if (is !== 'gone' && this.#running === running) this.#running = undefined;
    });
    return result;
  }

  async #ping(): Promise<SessionCheckResult> {
    const { handshake, port } = this.#options;
    const context: RequestContext = { certainty: 'not-sent', internal: true };
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<SessionCheckResult>((resolve) => {
      timer = setTimeout(() => {
        port.cancel(context);
        resolve({ is: 'there' });
      }, PING_TIMEOUT_MS);
    });
    const answer = port
      .ask(handshake.ping, context)
      .then((): SessionCheckResult => ({ is: 'there' }), resultOf);
    try {
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What an error that the ping failed with tells. */
function resultOf(error: unknown): SessionCheckResult {
  const reason = error instanceof LongwireError ? error : closedError('outcome-unknown');
  if (reason instanceof ServerError) {
    return reason.number === METHOD_NOT_FOUND ? { is: 'there' } : { is: 'gone', reason };
  }
  if (!(reason instanceof HttpStatusError)) {
    // A 404 to another request has shown meanwhile that it is gone.
    const isGone = reason.code === 'connection-lost' && reason.certainty !== 'outcome-unknown';
    return isGone ? { is: 'gone', reason } : { is: 'there' };
  }
  if (isGateway(reason.status)) return { is: 'away', reason };
  return isNotNow(reason.status) ? { is: 'there' } : { is: 'gone', reason };
}

/**
 * Whether a request was refused in the same words as the ping of its session: then the request did
 * not run either.
 */
export function isSameRefusal(
  { message, code }: JSONRPCErrorResponse['error'],
  reason: LongwireError,
): boolean {
  if (reason instanceof ServerError) {
    return reason.number === code && reason.summary.endsWith(message);
  }
  // The answer came with an HTTP error, and names another request or none.
  return reason.code !== 'connection-lost' && reason instanceof HttpStatusError
    ? reason.excerpt.includes(JSON.stringify(message).slice(1, -1))
    : reason.certainty === 'refused';
}
