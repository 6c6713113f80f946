import type { FastifyReply } from 'fastify';
import { EventStream, encodeEvent, type EventStreamOptions } from '../events/event-stream.js';
import type { LoggedEvent } from '../events/event-log.js';
import type { Sink } from '../events/sink.js';

/** How a POST is answered. */
export interface PostResponseOptions {
  readonly stream: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly events: EventStreamOptions;
  /** What its client takes. */
  readonly accepts: { readonly json: boolean; readonly events: boolean };
  /** Whether more than one answer comes. */
  readonly isBatch: boolean;
  /** Whether a stream that is lost can be resumed: only then its events have ids. */
  readonly isResumable: boolean;
  /** Whether its client knows an event without data, which only has an id (2025-11-25 and newer). */
  readonly isPrimed: boolean;
  /** The client left before all was sent. */
  onGone(sink: Sink): void;
}

/** The event id of Streamable HTTP: the session is in a header. */
export function eventIdOf(stream: number, seq: number): string {
  return `${stream}.${seq}`;
}

/**
 * An event with an id and without data: "The server SHOULD immediately send an SSE event consisting of an
 * event ID and an empty data field in order to prime the client to reconnect (using that event ID as
 * Last-Event-ID)."
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server
 */
export function primingEvent(stream: number, seq: number): string {
  return `id: ${eventIdOf(stream, seq)}\ndata: \n\n`;
}

/** What an event id names. */
export function parseEventId(id: string): { stream: number; seq: number } | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(id);
  return match === null ? undefined : { stream: Number(match[1]), seq: Number(match[2]) };
}

/**
 * The answer to a POST with requests. What is answered at once is one JSON body. All else becomes an
 * event stream before the event loop turns, so that a client which loses it can resume it.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server
 */
export class PostResponse implements Sink {
  readonly #reply: FastifyReply;
  readonly #options: PostResponseOptions;
  #waiting: NodeJS.Immediate | undefined;
  #stream: EventStream | undefined;
  #isDone = false;
  #isPrimed: boolean;

  constructor(reply: FastifyReply, options: PostResponseOptions) {
    this.#reply = reply;
    this.#options = options;
    this.#isPrimed = options.isPrimed;
    reply.hijack();
    reply.raw.on('error', () => {});
    if (options.accepts.events) this.#waiting = setImmediate(() => this.#open());
    reply.raw.once('close', () => {
      clearImmediate(this.#waiting);
      if (!this.#isDone) options.onGone(this);
    });
  }

  send(event: LoggedEvent): Promise<void> | undefined {
    const { accepts, stream, isResumable } = this.#options;
    if (this.#isDone) return undefined;
    if (this.takesWhole(event)) {
      this.#answer(event.data);
      return undefined;
    }
    if (!accepts.events) return undefined;
    const opened = this.#open();
    if (opened === undefined || opened.isEnded) return undefined;
    try {
      const eventId = isResumable ? eventIdOf(stream, event.seq) : undefined;
      return opened.send(encodeEvent('message', event.data, eventId));
    } catch {
      // The reader was too slow: it may resume.
      return undefined;
    }
  }

  opensAfter(kept: Promise<boolean>): void {
    if (this.#stream !== undefined || !this.#options.accepts.events) return;
    clearImmediate(this.#waiting);
    void kept.then((isKept) => {
      this.#isPrimed &&= isKept;
      this.#waiting = setImmediate(() => this.#open());
    });
  }

  takesWhole({ about }: LoggedEvent): boolean {
    const { accepts, isBatch } = this.#options;
    return this.#stream === undefined && accepts.json && about?.kind === 'answer' && !isBatch;
  }

  complete(): void {
    this.close();
  }

  cut(): void {
    if (this.#options.accepts.events) this.close();
    else if (!this.#isDone) this.#reply.raw.destroy();
    this.#isDone = true;
  }

  /** Ends the response; before an answer, the client may resume it or knows that it is cancelled. */
  close(): void {
    if (this.#isDone) return;
    if (this.#options.accepts.events) this.#open()?.end();
    else this.#answer('');
    this.#isDone = true;
  }

  #answer(body: string): void {
    this.#isDone = true;
    clearImmediate(this.#waiting);
    const { raw } = this.#reply;
    if (raw.destroyed) return;
    const bytes = Buffer.byteLength(body);
    raw.writeHead(bytes === 0 ? 202 : 200, {
      ...(this.#reply.getHeaders() as Record<string, string>),
      ...this.#options.headers,
      'content-type': 'application/json',
      'content-length': bytes,
    });
    this.#options.events.budget.addUntilClosed(bytes, raw);
    // As a string, which Node sends together with the headers.
    raw.end(body);
  }

  #open(): EventStream | undefined {
    if (this.#stream !== undefined || this.#isDone) return this.#stream;
    clearImmediate(this.#waiting);
    if (this.#reply.raw.destroyed) return undefined;
    const { events, headers, stream } = this.#options;
    this.#stream = new EventStream(this.#reply, events, headers);
    if (this.#isPrimed) void this.#stream.send(primingEvent(stream, 0));
    return this.#stream;
  }
}
