import type { MaybePromise } from '../principal.js';

/** One message that was sent on a stream of a session. */
export interface LoggedEvent {
  /** Its place among all messages of its session, from 1. */
  readonly seq: number;
  /** The stream it belongs to: 0 is the one for what answers no request. */
  readonly stream: number;
  /** The message as JSON. */
  readonly data: string;
  /** An answer, or a request of the server with its id as JSON; `undefined` for a notification. */
  readonly about?: { readonly kind: 'answer' | 'request'; readonly id: string };
}

/** Messages after a place; not complete where some of them are not kept any more. */
export interface LogExcerpt {
  readonly events: readonly LoggedEvent[];
  readonly isComplete: boolean;
}

/**
 * Keeps what sessions sent, within limits of bytes and age, so that a lost stream can be resumed.
 *
 * What is asked of one session is done in the order in which it is asked, though nobody waits in between:
 * a read finds what was appended before. A message is sent once it is kept, so every promise must settle
 * in good time. If it is rejected, the message is sent all the same, and cannot be resumed.
 */
export interface EventLog {
  /** @param isSent its client has it already: nobody waits until it is kept. Default: false. */
  append(sessionId: string, event: LoggedEvent, isSent?: boolean): MaybePromise<void>;
  /** What came after `seq`, oldest first: of one stream, or of all. */
  readAfter(sessionId: string, seq: number, stream?: number): MaybePromise<LogExcerpt>;
  /** Drops everything of a session. */
  delete(sessionId: string): MaybePromise<void>;
  /** Bytes that are kept, in all. */
  readonly bytes: number;
}
