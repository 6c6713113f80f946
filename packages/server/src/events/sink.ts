import type { LoggedEvent } from './event-log.js';

/** Where the messages of one stream of a session go. */
export interface Sink {
  /**
   * Sends a message; the server waits for what it returns.
   *
   * @param isAgain whether it is an old one that its client gets once more.
   */
  send(event: LoggedEvent, isAgain?: boolean): Promise<void> | undefined;
  /** Every request of the stream is answered. */
  complete(): void;
  /** The stream has a newer reader, or its session has ended. */
  close(): void;
  /** The session goes on on another node: its client comes back, and has got nothing like an answer. */
  cut(): void;
  /**
   * Its client is not told that it can come back before it is known whether what it waits for would be found
   * then.
   */
  opensAfter?(kept: Promise<boolean>): void;
  /** Whether this answer would be the whole response: nothing of it can be resumed or come twice. */
  takesWhole?(event: LoggedEvent): boolean;
}

/** One that holds back what comes until it is told what its client missed. */
export interface CatchUpSink extends Sink {
  /**
   * Sends what the client missed, then what came meanwhile. From now on messages pass as they come.
   *
   * @param sentUpTo the place up to which messages were handed to readers: those beyond come again.
   */
  catchUp(missed: readonly LoggedEvent[], sentUpTo: number): void;
}
