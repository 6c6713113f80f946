import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { BufferBudget } from './buffer-budget.js';

/** Options of an event stream. */
export interface EventStreamOptions {
  /** Time between heartbeats; `Infinity` for none. */
  heartbeatMs: number;
  /** Bytes that may wait for the reader; beyond that the stream is closed. */
  maxBufferedBytes: number;
  /** Shared with other streams; waiting bytes count there, too. */
  budget: BufferBudget;
  /** Called once, when the stream has ended. */
  onClose: (reason: StreamEnd) => void;
}

/** Why a stream ended: the reader left, the reader was too slow, or this side ended it. */
export type StreamEnd = 'reader-gone' | 'reader-too-slow' | 'ended';

const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // nginx holds back a response until its buffer is full, unless it is told not to.
  'x-accel-buffering': 'no',
};

/** How long an ended stream may take to flush its buffer. */
export const FLUSH_GRACE_MS = 5_000;

/**
 * The body of one response, as an event stream
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
export class EventStream {
  /** Fulfilled when the response is closed and its buffer released. */
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
      // If the client left earlier, `close` was emitted already.
      if (response.destroyed) queueMicrotask(close);
      else response.once('close', close);
    });
    // A reset connection is an `error` before it is a `close`, and only the latter matters.
    response.on('error', () => {});
    response.setTimeout(0);
    response.writeHead(200);
    response.flushHeaders();
    if (options.heartbeatMs !== Infinity) {
      this.#heartbeat = setInterval(() => this.#sendHeartbeat(), options.heartbeatMs).unref();
    }
  }

  /**
   * Sends one event. `data` is one line, as JSON and paths are. Fulfilled when the reader keeps up, or
   * the stream has ended.
   *
   * @throws Error if the stream has ended, or this event exceeds its limit, which ends it.
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

  /** Ends the stream after the events sent so far; a reader that is too slow is disconnected. */
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

  /** Releases bytes; those that are lost with the connection are released when it closes. */
  #release(bytes: number): void {
    const released = Math.min(bytes, this.#waiting);
    this.#waiting -= released;
    this.#budget.add(-released);
  }

  #sendHeartbeat(): void {
    // Waiting bytes keep the connection busy without a comment.
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
