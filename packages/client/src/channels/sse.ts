import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, HttpStatusError, LongwireError } from '../errors.js';
import { YoungMap } from '../young-map.js';
import type { HttpRequest } from './attempts.js';
import type { Channel, ChannelHandlers, Dialect } from './channel.js';
import type { StreamEvent } from './event-decoder.js';
import type { EventStream } from './event-stream.js';
import type { BodySink } from './exchange.js';
import type { Http } from './http.js';
import { isAnswer, readMessage } from './message.js';
import { Posting } from './posting.js';

const POST_HEADERS = { 'content-type': 'application/json' };

/** What an SSE channel is made of. */
export interface SseChannelOptions {
  http: Http;
  stream: EventStream;
  /** Where to POST: what the `endpoint` event named. */
  endpoint: URL;
  handlers: ChannelHandlers;
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
  /** Requests whose POST is not answered yet. */
  readonly #posting = new YoungMap<RequestId, Posting>();
  #ended = false;

  constructor(options: SseChannelOptions) {
    this.url = options.endpoint;
    this.#http = options.http;
    this.#stream = options.stream;
    this.#handlers = options.handlers;
    this.#stream.listener = {
      onEvent: (event) => this.#take(event),
      onEnd: (reason) => this.#end(reason),
    };
  }

  send(message: JSONRPCMessage, onWire?: () => void): Promise<void> {
    if (this.#ended) return Promise.reject(endedError(this.url));
    if (isAnswer(message)) return this.#post(message);
    if ('id' in message) return this.#post(message, onWire, message.id);
    if (message.method !== 'notifications/cancelled') return this.#post(message);
    return this.#postCancellation(message, message.params?.['requestId'] as RequestId);
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#stream.close();
    await this.#http.close();
  }

  /**
   * A request that has not left is withdrawn. One that has is given a moment to be taken, so that
   * the server knows its id; the server that holds its POST is told nevertheless, and its POST is
   * given up after that.
   */
  async #postCancellation(message: JSONRPCMessage, id: RequestId): Promise<void> {
    const posting = this.#posting.get(id);
    if (posting !== undefined && !posting.isOnWire) {
      posting.giveUp();
      return;
    }
    await posting?.settledSoon();
    await this.#post(message);
    posting?.giveUp();
  }

  #post(message: JSONRPCMessage, onWire?: () => void, id?: RequestId): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = postOf(message, { endpoint: this.url, dialect: 'sse' });
      const posting = new Posting({
        started: onWire,
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
      if (id !== undefined) this.#posting.set(id, posting);
      posting.send(this.#http, request);
    });
  }

  #take(event: StreamEvent): void {
    if (event.type !== 'message') return;
    const read = readMessage(event.data);
    if (read.message === undefined) {
      this.#handlers.onTrouble(read.error, read.answerTo);
      return;
    }
    if (isAnswer(read.message)) this.#posting.get(read.message.id as RequestId)?.requestAnswered();
    this.#handlers.onMessage(read.message);
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
