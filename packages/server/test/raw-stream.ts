import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { request } from 'undici';

/** An event stream as it comes off the wire, comments included. */
export class RawStream implements AsyncDisposable {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly comments: string[] = [];
  readonly #body: Readable;
  readonly #events: AsyncGenerator<EventSourceMessage>;
  #onComment: (() => void) | undefined;

  private constructor(statusCode: number, headers: IncomingHttpHeaders, body: Readable) {
    this.statusCode = statusCode;
    this.headers = headers;
    this.#body = body;
    this.#events = this.#read();
  }

  static async get(url: string, headers: Record<string, string> = {}): Promise<RawStream> {
    return RawStream.#open(url, { headers: { accept: 'text/event-stream', ...headers } });
  }

  static async post(
    url: string,
    body: unknown,
    more: Record<string, string> = {},
  ): Promise<RawStream> {
    const accept = 'application/json, text/event-stream';
    const headers = { accept, 'content-type': 'application/json', ...more };
    return RawStream.#open(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** The next event; `undefined` when the stream has ended in good order. */
  async next(): Promise<EventSourceMessage | undefined> {
    const { done, value } = await this.#events.next();
    return done ? undefined : value;
  }

  /** The next event of this name; those between are dropped. */
  async nextOf(name: string): Promise<string> {
    for (;;) {
      const event = await this.next();
      if (!event) throw new Error(`the stream ended before an event "${name}"`);
      if (event.event === name) return event.data;
    }
  }

  /** Fulfilled when so many comments have come. */
  async commented(count: number): Promise<void> {
    while (this.comments.length < count) {
      await new Promise<void>((resolve) => {
        this.#onComment = resolve;
      });
    }
  }

  /** Stops reading, and disconnects. */
  close(): void {
    this.#body.on('error', () => {});
    this.#body.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#events.return(undefined).catch(() => {});
  }

  async *#read(): AsyncGenerator<EventSourceMessage> {
    const events: EventSourceMessage[] = [];
    const decoder = new TextDecoder();
    const parser = createParser({
      onEvent: (event) => events.push(event),
      onComment: (comment) => {
        this.comments.push(comment);
        this.#onComment?.();
      },
    });
    for await (const chunk of this.#body) {
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
      yield* events.splice(0);
    }
  }

  static async #open(
    url: string,
    options: { method?: 'POST'; headers: Record<string, string>; body?: string },
  ): Promise<RawStream> {
    const { statusCode, headers, body } = await request(url, { bodyTimeout: 0, ...options });
    return new RawStream(statusCode, headers, body);
  }
}
