import type { LoggedEvent } from '../events/event-log.js';
import type { CatchUpSink } from '../events/sink.js';
import type { LocalSession } from './local-session.js';
import type { Answering } from './node-messages.js';

/** Whose reader it is, and what it is made with. */
export interface RemoteSinkOptions {
  readonly session: LocalSession;
  readonly stream: number;
  /** The place up to which messages were sent when it was made: `catchUp` covers all up to it. */
  readonly seq: number;
  /** Whether more than one answer comes. */
  readonly isBatch: boolean;
  /** How many requests it answers, where that is known: the last answer is its end then. */
  readonly answers?: number | undefined;
  readonly reader: { readonly node: string; readonly reader: string };
}

/** What serves the readers of other nodes. */
export interface RemoteSinkHost {
  /** Whether the log has published this message to its reader. */
  wasPublished(event: LoggedEvent): boolean;
  tell(sink: RemoteSink, answer: Answering): void;
  /** Told once, when nothing more is sent to it. */
  ended(sink: RemoteSink): void;
}

/**
 * The reader of a stream on another node. What the log keeps it publishes there, so that this sink says
 * only what the log did not.
 */
export class RemoteSink implements CatchUpSink {
  readonly options: RemoteSinkOptions;
  readonly #host: RemoteSinkHost;
  /** The place of the last message of the stream. */
  #after = 0;
  #answered = 0;
  #isEnded = false;

  constructor(options: RemoteSinkOptions, host: RemoteSinkHost) {
    this.options = options;
    this.#host = host;
  }

  /** Whether its node has been told something of it. */
  get isTold(): boolean {
    return this.#isEnded || this.#after > 0;
  }

  send(event: LoggedEvent, isAgain: boolean = false): undefined {
    if (this.#isEnded) return;
    this.#after = Math.max(this.#after, event.seq);
    if (event.about?.kind === 'answer') this.#answered++;
    if (isAgain || !this.#host.wasPublished(event)) {
      this.#host.tell(this, { kind: 'event', event, isAgain });
    }
  }

  catchUp(missed: readonly LoggedEvent[]): void {
    if (this.#isEnded) return;
    const events = missed.toSorted((a, b) => a.seq - b.seq);
    const seq = Math.max(this.options.seq, events.at(-1)?.seq ?? 0);
    this.#after = Math.max(this.#after, events.at(-1)?.seq ?? 0);
    this.#host.tell(this, { kind: 'caught-up', seq, events });
  }

  complete(): void {
    if (this.#isEnded) return;
    // Its node counts the answers.
    if (this.#answered !== this.options.answers) {
      this.#nameStream();
      this.#host.tell(this, { kind: 'complete', after: this.#after });
    }
    this.drop();
  }

  close(): void {
    if (this.#isEnded) return;
    this.#nameStream();
    this.#host.tell(this, { kind: 'close', after: this.#after });
    this.drop();
  }

  cut(): void {
    if (this.#isEnded) return;
    this.#host.tell(this, { kind: 'moved', hasBegun: true });
    this.drop();
  }

  /** A POST whose stream ends before anything was sent: its client is to resume that stream. */
  #nameStream(): void {
    const { stream, isBatch } = this.options;
    if (!this.isTold) this.#host.tell(this, { kind: 'taken', stream, isBatch });
  }

  /** Ends it without a word: its node is gone, or has a new one. */
  drop(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#host.ended(this);
  }
}
