import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, HttpStatusError, LongwireError } from '../errors.js';
import type { HttpRequest } from './attempts.js';
import type { Channel, ChannelHandlers, Dialect } from './channel.js';
import type { StreamEvent } from './event-decoder.js';
import type { EventStream } from './event-stream.js';
import type { BodySink } from './exchange.js';
import type { Http } from './http.js';
import { parseMessage } from './message.js';
import { within } from './within.js';

/** How long a cancellation waits for the POST of its request, so that the server knows the id. */
const CANCEL_AFTER_MS = 500;

const POST_HEADERS = { 'content-type': 'application/json', accept: '*/*' };

/** What an SSE channel is made of. */
export interface SseChannelOptions {
  http: Http;
  stream: EventStream;
  /** Where to POST: what the `endpoint` event named. */
  endpoint: URL;
  handlers: ChannelHandlers;
  /** Told of events that HTTP+SSE does not know. Default: ignored. */
  onForeignEvent?: (event: StreamEvent) => void;
}

/**
 * HTTP+SSE of protocol 2024-11-05: answers and notifications come on one stream, everything that
 * the client says goes by POST to the endpoint that the stream named.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export class SseChannel implements Channel {
  readonly dialect = 'sse';
  readonly url: URL;
  readonly #http: Http;
  readonly #stream: EventStream;
  readonly #handlers: ChannelHandlers;
  readonly #onForeignEvent: ((event: StreamEvent) => void) | undefined;
  /** Requests whose POST is not answered yet; a cancellation waits for it. */
  readonly #posting = new Map<RequestId, Promise<void>>();
  #ended = false;

  constructor(options: SseChannelOptions) {
    this.url = options.endpoint;
    this.#http = options.http;
    this.#stream = options.stream;
    this.#handlers = options.handlers;
    this.#onForeignEvent = options.onForeignEvent;
    this.#stream.listener = {
      onEvent: (event) => this.#take(event),
      onEnd: (reason) => this.#end(reason),
    };
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (this.#ended) return Promise.reject(endedError(this.url));
    if (!('method' in message)) return this.#post(message);
    if ('id' in message) {
      const posted = this.#post(message, message.id);
      this.#posting.set(message.id, posted);
      return posted;
    }
    if (message.method !== 'notifications/cancelled') return this.#post(message);
    return this.#postCancellation(message, message.params?.['requestId'] as RequestId);
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#stream.close();
    await this.#http.close();
  }

  async #postCancellation(message: JSONRPCMessage, id: RequestId): Promise<void> {
    const posted = this.#posting.get(id);
    if (posted !== undefined)
      await within(
        CANCEL_AFTER_MS,
        posted.catch(() => {}),
      );
    await this.#post(message);
  }

  #post(message: JSONRPCMessage, id?: RequestId): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = postOf(message, { endpoint: this.url, dialect: 'sse' });
      this.#http.send(request, {
        answered: () => {
          if (id !== undefined) this.#posting.delete(id);
          resolve();
        },
        failed: (error) => {
          if (id !== undefined) this.#posting.delete(id);
          reject(error);
          // A server that has forgotten the session says so with 404, and nothing sent to it
          // from then on can succeed: the channel is spent. The sender is told first, because of
          // its own request it is certain that it did not run.
          if (error instanceof HttpStatusError && error.status === 404) {
            setImmediate(() => this.#end(error));
          }
        },
      });
    });
  }

  #take(event: StreamEvent): void {
    if (event.type !== 'message') {
      if (event.type !== 'endpoint') this.#onForeignEvent?.(event);
      return;
    }
    let message: JSONRPCMessage;
    try {
      message = parseMessage(event.data);
    } catch (error) {
      this.#handlers.onTrouble(error as LongwireError);
      return;
    }
    this.#handlers.onMessage(message);
  }

  #end(reason: LongwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.close();
    this.#handlers.onEnd(reason);
  }
}

/** The POST of one message to an endpoint. The answer's body means nothing in HTTP+SSE. */
export function postOf(
  message: JSONRPCMessage,
  to: { endpoint: URL; dialect: Dialect | undefined; sink?: BodySink | undefined },
): HttpRequest {
  return {
    method: 'POST',
    url: to.endpoint,
    dialect: to.dialect,
    headers: POST_HEADERS,
    body: JSON.stringify(message),
    sink: to.sink,
  };
}

function endedError(url: URL): LongwireError {
  return new ConnectionLostError(`the connection to ${url.origin} had ended`, {
    certainty: 'not-sent',
  });
}
