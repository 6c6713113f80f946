import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, HttpStatusError, LongwireError } from '../errors.js';
import { YoungMap } from '../young-map.js';
import type { HttpRequest } from './attempts.js';
import type { Channel, ChannelHandlers, Dialect, Resumption, SendOptions } from './channel.js';
import type { EventCursor } from './event-cursor.js';
import type { StreamEvent } from './event-decoder.js';
import type { EventStream } from './event-stream.js';
import type { BodySink } from './exchange.js';
import { toJson } from './exact-json.js';
import { forgottenError, isForgotten } from './forgotten.js';
import type { Http } from './http.js';
import {
  isAnswer,
  readAnswers,
  readMessages,
  type ReadMessage,
  type ReadOptions,
} from './message.js';
import { place } from './place.js';
import { Posting } from './posting.js';
import { within } from './within.js';

/** How long a cancellation waits for the POST of its request. */
const CANCEL_AFTER_MS = 500;
/** How long the POSTs that are under way may take when the session is gone. */
const LAST_POSTS_MS = 1000;

const POST_HEADERS = { 'content-type': 'application/json' };

/** What an SSE channel is made of. */
export interface SseChannelOptions {
  http: Http;
  stream: EventStream;
  /** Where to POST: what the `endpoint` event named. */
  endpoint: URL;
  /** Where the stream's events stand: of a resumed stream, where they stood before. */
  cursor: EventCursor;
  handlers: ChannelHandlers;
}

/** What a stream with event ids leaves behind: its session, and where it stood. */
export class SseResumption implements Resumption {
  readonly dialect = 'sse';
  readonly endpoint: URL;
  readonly cursor: EventCursor;

  constructor(endpoint: URL, cursor: EventCursor) {
    this.endpoint = endpoint;
    this.cursor = cursor;
  }
}

/**
 * HTTP+SSE of protocol 2024-11-05: answers and notifications come on one stream, everything that
 * the client says goes by POST to the endpoint that the stream named.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export class SseChannel implements Channel {
  readonly dialect = 'sse';
  readonly era = 'legacy';
  readonly address: string;
  readonly #endpoint: URL;
  readonly #http: Http;
  readonly #stream: EventStream;
  readonly #cursor: EventCursor;
  readonly #handlers: ChannelHandlers;
  readonly #reading: ReadOptions;
  /** Requests whose POST is not answered yet. */
  readonly #posting = new YoungMap<RequestId, Posting>();
  #ended = false;
  #sessionGone = false;
  #isSpoilt = false;

  constructor(options: SseChannelOptions) {
    this.#endpoint = options.endpoint;
    this.address = place(this.#endpoint);
    this.#http = options.http;
    this.#stream = options.stream;
    this.#cursor = options.cursor;
    this.#handlers = options.handlers;
    this.#reading = { bounds: options.http.jsonBounds };
    this.#stream.listener = {
      onEvent: (event) => this.#take(event),
      onUnended: ({ data }) => this.#takeAnswers(data),
      onEnd: (reason) => this.#end(reason),
    };
  }

  get heardAt(): number {
    return this.#stream.heardAt;
  }

  get askedDelayMs(): number | undefined {
    return this.#stream.retryMs;
  }

  /** An endpoint without a query names no session, and may be the same for all of them. */
  get resumption(): Resumption | undefined {
    if (this.#sessionGone || this.#isSpoilt || this.#endpoint.search === '') return undefined;
    if (this.#cursor.lastEventId === undefined) return undefined;
    return new SseResumption(this.#endpoint, this.#cursor);
  }

  send(message: JSONRPCMessage, onWire?: () => void, options?: SendOptions): Promise<void> {
    if (this.#ended || this.#sessionGone) return Promise.reject(endedError(this.#endpoint));
    if (isAnswer(message)) return this.#post(message, options);
    if ('id' in message) return this.#request(message, message.id, onWire, options);
    if (message.method !== 'notifications/cancelled') return this.#post(message, options);
    return this.#postCancellation(message, message.params?.['requestId'] as RequestId, options);
  }

  abandon(reason: LongwireError, how: 'gone' | 'away'): void {
    if (how === 'gone') this.#forgotten(reason);
    else setImmediate(() => this.#end(reason));
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
  async #postCancellation(
    message: JSONRPCMessage,
    id: RequestId,
    caller: SendOptions | undefined,
  ): Promise<void> {
    const posting = this.#posting.get(id);
    if (posting !== undefined && !posting.isOnWire) {
      posting.giveUp();
      return;
    }
    if (posting !== undefined) await within(CANCEL_AFTER_MS, posting.settled());
    await this.#post(message, caller);
    posting?.giveUp();
  }

  #post(message: JSONRPCMessage, caller: SendOptions | undefined): Promise<void> {
    return this.#request(message, undefined, undefined, caller);
  }

  #request(
    message: JSONRPCMessage,
    id: RequestId | undefined,
    onWire: (() => void) | undefined,
    caller: SendOptions | undefined,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = postOf(message, { endpoint: this.#endpoint, dialect: 'sse' });
      const headers = caller?.headers;
      request.caller = caller;
      if (headers !== undefined) request.headers = { ...headers, ...request.headers };
      const posting = new Posting({
        started: onWire,
        answered: () => {
          if (id !== undefined) this.#posting.delete(id);
          resolve();
        },
        failed: (error) => {
          if (id !== undefined) this.#posting.delete(id);
          if (!isForgotten(error)) {
            reject(didNotRun(error));
            return;
          }
          const gone = forgottenError(this.#endpoint, error);
          reject(gone);
          this.#forgotten(gone);
        },
      });
      if (id !== undefined) this.#posting.set(id, posting);
      posting.send(this.#http, request);
    });
  }

  /**
   * Nothing sent to this session from then on can succeed: the channel is spent. What is on its
   * way is let arrive before it ends, because what is refused like this certainly did not run.
   */
  #forgotten(reason: LongwireError): void {
    if (this.#sessionGone) return;
    this.#sessionGone = true;
    const underWay = this.#posting.values().map((posting) => posting.settled());
    void within(LAST_POSTS_MS, Promise.all(underWay)).then(() =>
      setImmediate(() => this.#end(reason)),
    );
  }

  #take(event: StreamEvent): void {
    if (event.id !== undefined && !this.#cursor.take(event.id)) return;
    // One without data only says its id.
    if (event.data === '' || event.type === 'endpoint') return;
    if (event.type === 'message') readMessages(event.data, this.#read, this.#reading);
    else this.#takeAnswers(event.data);
  }

  /** Of what is no event of the protocol, only an answer to a request of ours is meant for us. */
  #takeAnswers(text: string): void {
    readAnswers(text, (message) => this.#read({ message }), this.#reading);
  }

  readonly #read = ({ message, error, answerTo }: ReadMessage): void => {
    if (message === undefined) {
      this.#handlers.onTrouble(error, answerTo);
      return;
    }
    this.#http.counts.received();
    if (isAnswer(message)) this.#posting.get(message.id as RequestId)?.requestAnswered();
    this.#handlers.onMessage(message);
  };

  #end(reason: LongwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    // What was too much would come again.
    this.#isSpoilt = reason.code === 'limit-exceeded';
    this.#stream.close();
    for (const posting of this.#posting.values()) if (!posting.isOnWire) posting.giveUp();
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
    body: toJson(message),
    sink: to.sink,
  };
}

/** What a session's server says to a POST: 503 comes from what is in front of it. */
function didNotRun(error: LongwireError): LongwireError {
  if (!(error instanceof HttpStatusError) || error.status !== 503) return error;
  const { summary, hint, status, excerpt, retryAfterMs, cause } = error;
  return new HttpStatusError(summary, {
    hint,
    status,
    excerpt,
    retryAfterMs,
    cause,
    certainty: 'refused',
  });
}

function endedError(url: URL): LongwireError {
  return new ConnectionLostError(`the connection to ${url.origin} had ended`, {
    certainty: 'not-sent',
  });
}
