import { INTERNAL_ERROR, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { EventLog, LogExcerpt, LoggedEvent } from '../events/event-log.js';
import type { Sink } from '../events/sink.js';
import type { MaybePromise } from '../principal.js';

/** The stream for what answers no request. */
export const MAIN_STREAM = 0;

/** What the streams of a session are made with. */
export interface SessionStreamsOptions {
  readonly sessionId: string;
  readonly log: FastifyBaseLogger;
  readonly events: EventLog;
  /** What is longer is not sent. */
  readonly maxMessageBytes: number;
  /** Whether a stream still waits for answers. */
  isOpen(stream: number): boolean;
}

/** What a session says: every message is kept, and goes to the reader of its stream if there is one. */
export class SessionStreams {
  /** When the main stream lost its reader; `undefined` while it has one, or never had one. */
  detachedAt: number | undefined;
  readonly #options: SessionStreamsOptions;
  readonly #sinks = new Map<number, Sink>();
  /** Requests of the server that its client has not answered, by id as JSON. */
  readonly #asked = new Set<string>();
  #seq = 0;
  #last: number = MAIN_STREAM;

  constructor(options: SessionStreamsOptions) {
    this.#options = options;
  }

  /** How many streams have a reader. */
  get size(): number {
    return this.#sinks.size;
  }

  /** The place of the last message. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether the client owes the server an answer. */
  get isAsking(): boolean {
    return this.#asked.size > 0;
  }

  /** The number of a new stream, for the answers to requests that came together. */
  next(): number {
    return ++this.#last;
  }

  /** Keeps a message and sends it to the reader of its stream. */
  emit(message: JSONRPCMessage, stream: number): Promise<void> | undefined {
    const { events, sessionId } = this.#options;
    const about = aboutOf(message);
    const event: LoggedEvent = {
      seq: ++this.#seq,
      stream,
      data: this.#textOf(message),
      ...(about !== undefined && { about }),
    };
    if (about?.kind === 'request') this.#asked.add(about.id);
    const kept = events.append(sessionId, event);
    if (kept instanceof Promise) return kept.then(() => this.#sinks.get(stream)?.send(event));
    return this.#sinks.get(stream)?.send(event);
  }

  /** The client answered a request of the server. */
  noteAnswer(id: RequestId | undefined): void {
    this.#asked.delete(JSON.stringify(id));
  }

  /** Gives a stream its reader. A reader that it had before is closed: the newest one wins. */
  attach(stream: number, sink: Sink): void {
    this.#sinks.get(stream)?.close();
    this.#sinks.set(stream, sink);
    if (stream === MAIN_STREAM) this.detachedAt = undefined;
  }

  /** The reader of a stream is gone; what comes is kept in the log. */
  detach(stream: number, sink: Sink): void {
    if (this.#sinks.get(stream) !== sink) return;
    this.#sinks.delete(stream);
    if (stream === MAIN_STREAM) this.detachedAt = Date.now();
  }

  /** Ends the reader of a stream, so that its client connects again. */
  close(stream: number): void {
    const sink = this.#sinks.get(stream);
    if (sink === undefined) return;
    sink.close();
    this.detach(stream, sink);
  }

  /** Every request of a stream is answered. */
  complete(stream: number): void {
    const sink = this.#sinks.get(stream);
    this.#sinks.delete(stream);
    sink?.complete();
  }

  closeAll(): void {
    for (const sink of this.#sinks.values()) sink.close();
    this.#sinks.clear();
  }

  /** What was sent after a place, on one stream or on all. */
  missed(after: number, stream?: number): MaybePromise<LogExcerpt> {
    return this.#options.events.readAfter(this.#options.sessionId, after, stream);
  }

  /** One message as it was sent; `undefined` if it is not kept any more. */
  async sentAt(seq: number, stream: number): Promise<LoggedEvent | undefined> {
    const { events } = await this.missed(seq - 1, stream);
    return events.find((event) => event.seq === seq);
  }

  /** Sends a message once more; without a reader it waits in the log anyway. */
  sendAgain(event: LoggedEvent): void {
    void this.#sinks.get(event.stream)?.send(event);
  }

  /**
   * Gives a stream a reader that gets what it missed first: what came after a place, as far as it is
   * `wanted`. A stream whose requests are all answered is complete after that.
   */
  async resume(
    stream: number,
    sink: Sink,
    { after, wanted }: { after: number; wanted: (event: LoggedEvent) => boolean },
  ): Promise<void> {
    const late: LoggedEvent[] = [];
    const holding: Sink = {
      send: (event) => void late.push(event),
      complete: () => {},
      close: () => sink.close(),
    };
    this.attach(stream, holding);
    const { events } = await this.missed(after, stream);
    const last = events.at(-1)?.seq ?? after;
    for (const event of events) if (wanted(event)) void sink.send(event);
    for (const event of late) if (event.seq > last) void sink.send(event);
    if (stream !== MAIN_STREAM && !this.#options.isOpen(stream)) {
      this.#sinks.delete(stream);
      sink.complete();
    } else if (this.#sinks.get(stream) === holding) {
      this.#sinks.set(stream, sink);
    }
  }

  /** Whether a client without a cursor needs this again: an answer, or what it has not answered. */
  isStillWanted({ about }: LoggedEvent): boolean {
    return about?.kind === 'answer' || (about?.kind === 'request' && this.#asked.has(about.id));
  }

  #textOf(message: JSONRPCMessage): string {
    const { log, maxMessageBytes } = this.#options;
    try {
      const text = JSON.stringify(message);
      // A character of a string is a byte or more.
      if (text.length <= maxMessageBytes) return text;
      throw new RangeError(`a message is longer than ${maxMessageBytes} bytes (maxBufferedBytes)`);
    } catch (error) {
      log.error(error, 'a message of the server cannot be sent');
      if ('method' in message) throw error;
      const text = 'The answer cannot be sent: the log of the server says why';
      return JSON.stringify({
        jsonrpc: '2.0',
        id: message.id ?? null,
        error: { code: INTERNAL_ERROR, message: text },
      });
    }
  }
}

function aboutOf(message: JSONRPCMessage): LoggedEvent['about'] {
  if (!('id' in message)) return undefined;
  return { kind: 'method' in message ? 'request' : 'answer', id: JSON.stringify(message.id) };
}
