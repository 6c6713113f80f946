import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { BufferBudget } from './buffer-budget.js';

/** What an event stream is made with. */
export interface EventStreamOptions {
  /** Time between heartbeats; `Infinity` for none. */
  heartbeatMs: number;
  /** Bytes that may wait for the reader; over it the stream is cut. */
  maxBufferedBytes: number;
  /** Shared with other streams; what waits here counts there. */
  budget: BufferBudget;
  /** The stream is over, whoever ended it; called once. */
  onClose: (reason: StreamEnd) => void;
}

/** Why a stream is over: the reader went, the reader was too slow, or it was ended on this side. */
export type StreamEnd = 'reader-gone' | 'reader-too-slow' | 'ended';

const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // nginx holds back a response until its buffer is full, unless it is told not to.
  'x-accel-buffering': 'no',
};

/** How long an ended stream may take to bring out what is still buffered. */
export const FLUSH_GRACE_MS = 5_000;

/**
 * The body of one response, as an event stream
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
export class EventStream {
  /** Fulfilled when the response is over and its buffer gone. */
  readonly closed: Promise<void>;
  readonly #response: ServerResponse;
  readonly #maxBufferedBytes: number;
  readonly #budget: BufferBudget;
  /** Bytes of events that the budget counts for this stream. */
  #waiting = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #end: StreamEnd | undefined;
  #drained: Promise<void> | undefined;

  /** Takes the response over from Fastify and sends its headers, those set by hooks included. */
  constructor(reply: FastifyReply, options: EventStreamOptions) {
    const response = reply.raw;
    this.#response = response;
    this.#maxBufferedBytes = options.maxBufferedBytes;
    this.#budget = options.budget;
    reply.hijack();
    for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...HEADERS })) {
      if (value !== undefined) response.setHeader(name, value);
    }
    this.closed = new Promise((resolve) => {
      const close = (): void => {
        clearInterval(this.#heartbeat);
        this.#release(Infinity);
        this.#end ??= 'reader-gone';
        resolve();
        options.onClose(this.#end);
      };
      // Whoever went away before this has had its `close` already.
      if (response.destroyed) queueMicrotask(close);
      else response.once('close', close);
    });
    // A reset connection is an `error` before it is a `close`, and only the latter matters.
    response.on('error', () => {});
    response.setTimeout(0);
    response.writeHead(200);
    response.flushHeaders();
    if (options.heartbeatMs !== Infinity) {
      this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs).unref();
    }
  }

  /**
   * Sends one event. `data` is one line; JSON and paths are. Fulfilled when the reader has kept up,
   * or the stream is over.
   *
   * @throws Error when the stream is over, or this event takes it over its limit, which ends it.
   */
  async send(event: string, data: string): Promise<void> {
    if (this.#end !== undefined) throw new Error('the event stream is closed');
    const bytes = Buffer.from(`event: ${event}\ndata: ${data}\n\n`);
    if (this.#response.writableLength + bytes.length > this.#maxBufferedBytes) {
      throw this.#cut(
        `more than ${this.#maxBufferedBytes} bytes wait for the reader of the stream`,
      );
    }
    if (!this.#budget.hasRoom(bytes.length, this.#waiting)) {
      throw this.#cut('too many bytes wait for all readers together (maxTotalBufferedBytes)');
    }
    this.#waiting += bytes.length;
    this.#budget.add(bytes.length);
    if (!this.#response.write(bytes, () => this.#release(bytes.length))) await this.#whenDrained();
  }

  /** Ends the stream after what was sent so far; a reader that does not take it in time is cut off. */
  end(graceMs: number = FLUSH_GRACE_MS): void {
    if (this.#end !== undefined) return;
    this.#end = 'ended';
    clearInterval(this.#heartbeat);
    this.#response.end();
    const grace = setTimeout(() => this.#response.destroy(), graceMs).unref();
    this.#response.once('close', () => clearTimeout(grace));
  }

  #cut(why: string): Error {
    this.#end = 'reader-too-slow';
    this.#response.destroy();
    return new Error(why);
  }

  /** Bytes that were lost with the connection are released when it closes, and only then. */
  #release(bytes: number): void {
    const released = Math.min(bytes, this.#waiting);
    this.#waiting -= released;
    this.#budget.add(-released);
  }

  #beat(): void {
    // Bytes that wait keep the connection as busy as a comment would.
    if (!this.#response.writableNeedDrain) this.#response.write(': heartbeat\n\n');
  }

  #whenDrained(): Promise<void> {
    const response = this.#response;
    return (this.#drained ??= new Promise((resolve) => {
      const settle = (): void => {
        response.off('drain', settle).off('close', settle);
        this.#drained = undefined;
        resolve();
      };
      response.on('drain', settle).on('close', settle);
    }));
  }
}
