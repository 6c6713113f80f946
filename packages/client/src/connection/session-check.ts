import {
  METHOD_NOT_FOUND,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
} from '@modelcontextprotocol/client';
import { isAnswer } from '../channels/message.js';
import { HttpStatusError, LongwireError, ServerError } from '../errors.js';
import type { CallMark } from './call-mark.js';
import { closedError } from './failures.js';
import type { LedgerEntry } from './ledger.js';
import type { Link } from './link.js';
import { isGateway } from './retry.js';

/** How long a session may take to say that it is there. */
const PATIENCE_MS = 5000;

/** Statuses that say: not now. */
const NOT_NOW: ReadonlySet<number> = new Set([408, 425, 429]);

/** Words by which an error may be about the session. Whether it is, the session is asked. */
const ABOUT_SESSION = /session|not (yet )?initiali[sz]ed|transport/i;

/** What a session says when it is asked. */
export type SessionVerdict =
  /** It answers; or nothing says that it does not. */
  | { is: 'there' }
  /** It refuses a ping, too, for this reason. */
  | { is: 'gone'; reason: LongwireError }
  /** What stands in front of the server does not reach it. */
  | { is: 'away'; reason: LongwireError };

/** What is needed to ask a session. */
export interface SessionCheckOptions {
  /** Pings the session of now. */
  ping: (mark: CallMark) => Promise<unknown>;
  /** Gives a ping up. */
  giveUp: (mark: CallMark) => void;
  /** The program has somebody who answers for credentials. */
  answersChallenges: boolean;
}

/**
 * Finds out whether a session is gone. Servers say so in so many ways, and say other things in the
 * same words, that no list of them would do: the session itself is asked, by a ping that every
 * server of it answers. One ping serves all that were refused meanwhile.
 */
export class SessionCheck {
  readonly #options: SessionCheckOptions;
  #asked: { link: Link; verdict: Promise<SessionVerdict> } | undefined;

  constructor(options: SessionCheckOptions) {
    this.#options = options;
  }

  /**
   * Whether the refusal of a request may mean that its session is gone. A request that has come back
   * from another session for the same reason is refused for its own. Of credentials, whoever answers
   * for them knows more.
   */
  mayBeGone(error: LongwireError, { mark, doubts }: LedgerEntry, link: Link): boolean {
    if (!(error instanceof HttpStatusError) || error.status < 400 || doubts > 0) return false;
    const { status, code, retryAfterMs } = error;
    if (link.channel?.abandon === undefined || mark.internal === true) return false;
    if (code !== 'http-status') {
      return !this.#options.answersChallenges && mark.headers === undefined;
    }
    return !NOT_NOW.has(status) && (status !== 503 || retryAfterMs === undefined);
  }

  /** Whether an answer may mean that. */
  mayMeanGone(
    answer: JSONRPCMessage,
    { mark, doubts }: LedgerEntry,
    link: Link | undefined,
  ): boolean {
    if (link?.channel?.abandon === undefined || mark.internal === true || doubts > 0) return false;
    if (!isAnswer(answer) || !('error' in answer)) return false;
    return ABOUT_SESSION.test(answer.error.message);
  }

  /** Asks the session of a link. */
  of(link: Link): Promise<SessionVerdict> {
    if (this.#asked?.link === link) return this.#asked.verdict;
    const verdict = this.#ask();
    const asked = { link, verdict };
    this.#asked = asked;
    // What is gone stays gone, for those whose refusal comes late.
    void verdict.then(({ is }) => {
      if (is !== 'gone' && this.#asked === asked) this.#asked = undefined;
    });
    return verdict;
  }

  async #ask(): Promise<SessionVerdict> {
    const { ping, giveUp } = this.#options;
    const mark: CallMark = { certainty: 'not-sent', internal: true };
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<SessionVerdict>((resolve) => {
      timer = setTimeout(() => {
        giveUp(mark);
        resolve({ is: 'there' });
      }, PATIENCE_MS);
    });
    const answer = ping(mark).then((): SessionVerdict => ({ is: 'there' }), verdictOf);
    try {
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function verdictOf(error: unknown): SessionVerdict {
  const reason = error instanceof LongwireError ? error : closedError('outcome-unknown');
  if (reason instanceof ServerError) {
    return reason.number === METHOD_NOT_FOUND ? { is: 'there' } : { is: 'gone', reason };
  }
  if (!(reason instanceof HttpStatusError)) {
    // It was found out to be gone meanwhile.
    const isGone = reason.code === 'connection-lost' && reason.certainty !== 'outcome-unknown';
    return isGone ? { is: 'gone', reason } : { is: 'there' };
  }
  if (isGateway(reason.status)) return { is: 'away', reason };
  return NOT_NOW.has(reason.status) ? { is: 'there' } : { is: 'gone', reason };
}

/**
 * Whether a request was answered in the words in which its session's ping was refused: what refuses
 * both runs neither.
 */
export function isSameRefusal(
  { message, code }: JSONRPCErrorResponse['error'],
  reason: LongwireError,
): boolean {
  if (reason instanceof ServerError) {
    return reason.number === code && reason.summary.endsWith(message);
  }
  // An answer by an HTTP error that names another request, or none.
  return reason.code !== 'connection-lost' && reason instanceof HttpStatusError
    ? reason.excerpt.includes(JSON.stringify(message).slice(1, -1))
    : reason.certainty === 'refused';
}
