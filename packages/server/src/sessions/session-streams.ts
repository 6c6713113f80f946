import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { EventLog, LogExcerpt, LoggedEvent } from '../events/event-log.js';
import { messageText } from '../events/message-text.js';
import type { CatchUpSink, Sink } from '../events/sink.js';
import { inBackground } from '../operate/log.js';
import type { MaybePromise } from '../principal.js';
import { ANSWER_GONE, errorOf } from '../refusal.js';
import type { AcceptedRequests } from './accepted-requests.js';
import { BriefMap } from '../instances/brief-map.js';

/** The stream for what answers no request. */
export const MAIN_STREAM = 0;

/** Streams of each owner of a session have numbers of their own: a client may name one of any of them. */
const STREAMS_OF_OWNER = 1e9;

/** The session whose streams they are. */
export interface StreamsOwner {
  readonly id: string;
  readonly log: FastifyBaseLogger;
  /** What the streams answer. */
  readonly requests: Pick<AcceptedRequests, 'runningOn' | 'answeredOn'>;
  /** Keeps what it says in a cluster. */
  readonly owned?: MessageKeeper | undefined;
}

/** What keeps the messages of a session in a cluster. */
export interface MessageKeeper {
  /** Whether nobody else can have taken the session. */
  readonly isSure: boolean;
  /**
   * Fulfilled when it is kept, or never will be.
   *
   * @param isSent its client has it already.
   */
  keep(event: LoggedEvent, isSent: boolean): Promise<void>;
  /** Fulfilled when all that was said before is kept, or never will be. */
  settled(): Promise<void>;
  /** Told that all that was said is handed to the readers. */
  noteSent(): void;
}

/** What the streams of all sessions share. */
export interface StreamsHost {
  readonly events: EventLog;
  /** What is longer is not sent. */
  readonly maxMessageBytes: number;
}

/**
 * What a session says: every message is kept, and then goes to the reader of its stream if there is one.
 * A log that takes its time keeps nothing out of order.
 */
export class SessionStreams {
  /** When the main stream lost its reader; `undefined` while it has one, or never had one. */
  detachedAt: number | undefined;
  readonly #session: StreamsOwner;
  readonly #host: StreamsHost;
  /** The reader of the main stream. */
  #main: Sink | undefined;
  /** Those of other streams. */
  readonly #others = new BriefMap<number, Sink>();
  /** Requests of the server that its client has not answered: their places, by id as JSON. */
  readonly #asked = new BriefMap<string, number>();
  /** Fulfilled when all that was said is handed to the readers; missing if it is. */
  #sending: Promise<void> | undefined;
  #seq = 0;
  /** The place up to which messages were handed to readers. */
  #sentUpTo = 0;
  /** The last message that could not be kept. */
  #lostSeq = 0;
  #last: number = MAIN_STREAM;
  /** Readers that are being told what they missed: they end after that. */
  #catchingUp: Set<Sink> | undefined;
  /** Whether the session has moved to another node. */
  #isCut = false;

  /** @param taken where an owner before has left them. */
  constructor(
    session: StreamsOwner,
    host: StreamsHost,
    taken?: { readonly fence: number; readonly seq: number },
  ) {
    this.#session = session;
    this.#host = host;
    if (taken === undefined) return;
    this.#seq = taken.seq;
    this.#sentUpTo = taken.seq;
    this.#last = (taken.fence - 1) * STREAMS_OF_OWNER;
    this.detachedAt = Date.now();
  }

  /** How many streams have a reader. */
  get size(): number {
    return this.#others.size + (this.#main === undefined ? 0 : 1);
  }

  /** The place of the last message. */
  get seq(): number {
    return this.#seq;
  }

  /** The place up to which all that was said is kept, and was handed to the readers. */
  get sentUpTo(): number {
    return this.#sentUpTo;
  }

  /** Whether all that was said is handed to the readers. */
  get isSent(): boolean {
    return this.#sending === undefined;
  }

  /** Whether the client owes the server an answer. */
  get isAsking(): boolean {
    return this.#asked.size > 0;
  }

  /** Whether somebody reads a stream at this moment. */
  hasReader(stream: number): boolean {
    return this.#sinkOf(stream) !== undefined;
  }

  /** The number of a new stream, for the answers to requests that came together. */
  next(): number {
    return ++this.#last;
  }

  /** Keeps a message and sends it to the reader of its stream. */
  emit(message: JSONRPCMessage, stream: number): Promise<void> | undefined {
    const { maxMessageBytes } = this.#host;
    const { log } = this.#session;
    const about = aboutOf(message);
    const event: LoggedEvent = {
      seq: ++this.#seq,
      stream,
      data: messageText(message, { maxMessageBytes, log }).text,
      ...(about !== undefined && { about }),
    };
    if (about?.kind === 'request') this.#asked.set(about.id, event.seq);
    if (this.#sending === undefined && this.#isWholeAnswer(event)) {
      const keepsUp = this.#send(event);
      void this.#keep(event, true);
      return keepsUp;
    }
    const keeping = this.#keep(event);
    if (this.#sending === undefined && keeping === undefined) return this.#send(event);
    let keepsUp: Promise<void> | undefined;
    const sent = this.#inOrder(() => {
      keepsUp = this.#send(event);
    }, keeping);
    return sent.then(() => keepsUp);
  }

  /** The client answered a request of the server. */
  noteAnswer(id: RequestId | undefined): void {
    this.#asked.delete(JSON.stringify(id));
  }

  /** Gives a stream its reader. A reader that it had before is closed: the newest one wins. */
  attach(stream: number, sink: Sink): void {
    if (this.#isCut) {
      sink.cut();
      return;
    }
    this.#sinkOf(stream)?.close();
    this.#setSink(stream, sink);
    if (stream === MAIN_STREAM) this.detachedAt = undefined;
  }

  /** The reader of a stream is gone; what comes is kept in the log. */
  detach(stream: number, sink: Sink): void {
    if (this.#sinkOf(stream) !== sink) return;
    this.#setSink(stream, undefined);
    if (stream === MAIN_STREAM) this.detachedAt = Date.now();
  }

  /** Ends the reader of a stream, so that its client connects again. */
  close(stream: number): void {
    const sink = this.#sinkOf(stream);
    if (sink === undefined) return;
    sink.close();
    this.detach(stream, sink);
  }

  /** Every request of a stream is answered: it ends after its last message. */
  complete(stream: number): void {
    this.#whenSent(() => {
      const sink = this.#sinkOf(stream);
      if (sink !== undefined && this.#catchingUp?.has(sink) === true) return;
      this.#setSink(stream, undefined);
      sink?.complete();
    });
  }

  /** Ends the readers of all streams, after their last messages. */
  closeAll(): void {
    this.#whenSent(() => {
      this.#main?.close();
      this.#main = undefined;
      for (const sink of this.#others.values()) sink.close();
      this.#others.clear();
    });
  }

  /** Nothing more is said here: its readers come back on another node. */
  cut(): void {
    this.#isCut = true;
    const readers = [...this.#others.values(), ...(this.#main === undefined ? [] : [this.#main])];
    this.#main = undefined;
    this.#others.clear();
    for (const sink of readers) sink.cut();
  }

  /** What was sent after a place, on one stream or on all. */
  missed(after: number, stream?: number): MaybePromise<LogExcerpt> {
    const excerpt = this.#host.events.readAfter(this.#session.id, after, stream);
    if (this.#lostSeq <= after) return excerpt;
    return excerpt instanceof Promise
      ? excerpt.then((known) => ({ ...known, isComplete: false }))
      : { ...excerpt, isComplete: false };
  }

  /** One message as it was sent; `undefined` if it is not kept any more. */
  async sentAt(seq: number, stream: number): Promise<LoggedEvent | undefined> {
    // It may wait for a store that is away: what is read in between would lack it.
    await this.#session.owned?.settled();
    const { events } = await this.missed(seq - 1, stream);
    return events.find((event) => event.seq === seq);
  }

  /** Sends a message once more; without a reader it waits in the log anyway. */
  sendAgain(event: LoggedEvent): void {
    void this.#sinkOf(event.stream)?.send(event, true);
  }

  /**
   * Gives a stream a reader that gets what it missed first. A stream whose requests are all answered is
   * complete after that. If the log cannot be read, the stream ends, and its client may come back.
   *
   * @param after the place of the last message that the client has. A client that does not know gets the
   * answers and what it still owes an answer to.
   */
  async resume(stream: number, sink: CatchUpSink, after: number | undefined): Promise<void> {
    this.attach(stream, sink);
    (this.#catchingUp ??= new Set()).add(sink);
    try {
      const { events, isComplete } = await this.missed(after ?? 0, stream);
      const wanted = events.filter((event) => after !== undefined || this.#isStillWanted(event));
      const gone = isComplete ? [] : this.#goneAnswers(stream, { events, after: after ?? 0 });
      sink.catchUp([...wanted, ...gone], this.#sentUpTo);
    } catch (error) {
      this.#session.log.error(error, 'what a client missed could not be read');
      sink.close();
      this.detach(stream, sink);
      return;
    } finally {
      this.#catchingUp?.delete(sink);
      if (this.#catchingUp?.size === 0) this.#catchingUp = undefined;
    }
    const isOver = stream !== MAIN_STREAM && this.#session.requests.runningOn(stream) === 0;
    if (isOver && this.#sinkOf(stream) === sink) this.complete(stream);
  }

  /** Whether nothing more comes on a stream after a place: all of it is answered, and was sent. */
  async isOver(stream: number, after: number): Promise<boolean> {
    const { log, requests } = this.#session;
    if (stream === MAIN_STREAM || requests.runningOn(stream) > 0) return false;
    for (const { seq } of requests.answeredOn(stream)) if (seq > after) return false;
    try {
      return (await this.missed(after, stream)).events.length === 0;
    } catch (error) {
      log.error(error, 'what a client missed could not be read');
      return false;
    }
  }

  /** Whether a client without a cursor needs this again: an answer, or what it has not answered. */
  #isStillWanted({ about, seq }: LoggedEvent): boolean {
    return about?.kind === 'answer' || (about !== undefined && this.#asked.get(about.id) === seq);
  }

  /** What stands for the answers that are not kept any more: the client waits for them. */
  #goneAnswers(
    stream: number,
    { events, after }: { events: readonly LoggedEvent[]; after: number },
  ): LoggedEvent[] {
    if (stream === MAIN_STREAM) return [];
    const kept = new Set(events.map(({ seq }) => seq));
    return (
      [...this.#session.requests.answeredOn(stream)]
        // One that was not sent yet waits for a store that is away, and comes.
        .filter(({ seq }) => seq > after && seq <= this.#sentUpTo && !kept.has(seq))
        .map(({ id, seq }) => goneAnswer(id, seq, stream))
    );
  }

  /** Keeps a message; it is sent even where this fails. */
  #keep(event: LoggedEvent, isSent = false): Promise<void> | undefined {
    const { owned } = this.#session;
    if (owned !== undefined) return owned.keep(event, isSent);
    const fail = (error: unknown): void => {
      // Once: a store that is away fails for each message.
      if (this.#lostSeq === 0) {
        this.#session.log.error(error, 'a message could not be kept, and cannot be resumed');
      }
      this.#lostSeq = Math.max(this.#lostSeq, event.seq);
    };
    try {
      const keeping = this.#host.events.append(this.#session.id, event);
      return keeping instanceof Promise ? keeping.catch(fail) : undefined;
    } catch (error) {
      fail(error);
      return undefined;
    }
  }

  /**
   * Whether it is sent before it is kept: an answer that is a whole response. Nobody else can have
   * answered, and nobody can resume what has come whole.
   */
  #isWholeAnswer(event: LoggedEvent): boolean {
    const sink = this.#sinkOf(event.stream);
    return sink?.takesWhole?.(event) === true && this.#session.owned?.isSure === true;
  }

  #send(event: LoggedEvent): Promise<void> | undefined {
    this.#sentUpTo = event.seq;
    return this.#sinkOf(event.stream)?.send(event);
  }

  #sinkOf(stream: number): Sink | undefined {
    return stream === MAIN_STREAM ? this.#main : this.#others.get(stream);
  }

  #setSink(stream: number, sink: Sink | undefined): void {
    if (stream === MAIN_STREAM) this.#main = sink;
    else if (sink === undefined) this.#others.delete(stream);
    else this.#others.set(stream, sink);
  }

  /** Does something after all that was said before, at once if that is sent. */
  #whenSent(act: () => void): void {
    if (this.#sending === undefined) act();
    else void this.#inOrder(act);
  }

  /** Does something after all that was said before, and after something else. */
  #inOrder(act: () => void, after?: Promise<void>): Promise<void> {
    const turn = Promise.all([this.#sending, after]).then(() => {
      inBackground(this.#session.log, 'a stream failed', act);
      if (this.#sending !== turn) return;
      this.#sending = undefined;
      this.#session.owned?.noteSent();
    });
    this.#sending = turn;
    return turn;
  }
}

/** What a client is told in the place of an answer that is not kept any more. */
export function goneAnswer(id: RequestId, seq: number, stream: number): LoggedEvent {
  const error = errorOf(ANSWER_GONE);
  const about = { kind: 'answer', id: JSON.stringify(id) } as const;
  return { seq, stream, data: JSON.stringify({ jsonrpc: '2.0', id, error }), about };
}

function aboutOf(message: JSONRPCMessage): LoggedEvent['about'] {
  if (!('id' in message)) return undefined;
  return { kind: 'method' in message ? 'request' : 'answer', id: JSON.stringify(message.id) };
}
