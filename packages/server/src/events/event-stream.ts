import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { BufferBudget } from './buffer-budget.js';
import type { Heartbeats } from './heartbeats.js';

/** What the event streams of a mount share. */
export interface EventStreamOptions {
  heartbeats: Heartbeats;
  /** When a client may connect again after a stream broke: sent as `retry:`. */
  retryMs: number;
  /** Bytes that may wait for the reader; beyond that the stream is closed. */
  maxBufferedBytes: number;
  /** Shared with other streams; waiting bytes count there, too. */
  budget: BufferBudget;
}

const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // nginx holds back a response until its buffer is full, unless it is told not to.
  'x-accel-buffering': 'no',
};

const ignore = (): void => {};

/** How long an ended stream may take to flush its buffer. */
export const FLUSH_GRACE_MS = 5_000;

/**
 * One event in its wire format.
 *
 * @param data one line, as JSON and paths are.
 */
export function encodeEvent(event: string, data: string, id?: string): string {
  return id === undefined
    ? `event: ${event}\ndata: ${data}\n\n`
    : `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}

/**
 * The body of one response, as an event stream
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
export class EventStream {
  /** Called once, when the response is closed and its buffer released. */
  onclose: (() => void) | undefined;
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  /** Bytes of events that the budget counts for this stream. */
  #waiting = 0;
  #isEnded = false;
  #drained: Promise<void> | undefined;

  /**
   * Takes the response over from Fastify and sends its headers, those set by hooks included.
   *
   * @param headers further ones.
   */
  constructor(
    reply: FastifyReply,
    options: EventStreamOptions,
    headers?: Readonly<Record<string, string>>,
  ) {
    const response = reply.raw;
    this.#response = response;
    this.#options = options;
    if (!reply.sent) reply.hijack();
    const close = (): void => this.#close();
    // If the client left earlier, `close` was emitted already.
    if (response.destroyed) queueMicrotask(close);
    else response.on('close', close);
    // A reset connection is an `error` before it is a `close`, and only the latter matters.
    response.on('error', ignore);
    // With a listener, without which the response of `app.inject` fails.
    response.setTimeout(0, ignore);
    response.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      ...HEADERS,
      ...headers,
    });
    // Before anything else: Node keeps their text, which becomes one string when it is sent alone.
    response.flushHeaders();
    // Some proxies and clients wait for the first byte of the body, not only for the headers.
    response.write(`: open\nretry: ${options.retryMs}\n\n`);
    options.heartbeats.add(this);
  }

  /** Whether nothing can be sent any more. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Sends events in their wire format. Fulfilled when the reader keeps up, or the stream has ended;
   * `undefined` where the reader keeps up already.
   *
   * @throws Error if the stream has ended, or these bytes exceed its limit, which ends it.
   */
  send(events: string | Uint8Array): Promise<void> | undefined {
    if (this.#isEnded) throw new Error('the event stream is closed');
    const { maxBufferedBytes, budget } = this.#options;
    const bytes = typeof events === 'string' ? Buffer.from(events) : events;
    if (this.#response.writableLength + bytes.length > maxBufferedBytes) {
      throw this.#cut(`more than ${maxBufferedBytes} bytes wait for the reader of the stream`);
    }
    if (!budget.hasRoom(bytes.length, this.#waiting)) {
      throw this.#cut('too many bytes wait for all readers together (maxTotalBufferedBytes)');
    }
    this.#waiting += bytes.length;
    budget.add(bytes.length);
    const keepsUp = this.#response.write(bytes, () => this.#release(bytes.length));
    return keepsUp ? undefined : this.#whenDrained();
  }

  /** Ends the stream after the events sent so far; a reader that is too slow is disconnected. */
  end(graceMs: number = FLUSH_GRACE_MS): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#options.heartbeats.delete(this);
    this.#response.end();
    // A fast reader has it all by now.
    if (this.#response.writableLength === 0) return;
    const grace = setTimeout(() => this.#response.destroy(), graceMs).unref();
    this.#response.once('close', () => clearTimeout(grace));
  }

  /** Sends a comment, so that nothing on the way takes the connection for idle. */
  heartbeat(): void {
    // Waiting bytes keep the connection busy without a comment.
    if (!this.#response.writableNeedDrain) this.#response.write(': heartbeat\n\n');
  }

  #close(): void {
    this.#options.heartbeats.delete(this);
    this.#release(Infinity);
    this.#isEnded = true;
    this.onclose?.();
  }

  #cut(why: string): Error {
    this.#isEnded = true;
    this.#response.destroy();
    return new Error(why);
  }

  /** Releases bytes; those that are lost with the connection are released when it closes. */
  #release(bytes: number): void {
    const released = Math.min(bytes, this.#waiting);
    this.#waiting -= released;
    this.#options.budget.add(-released);
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
