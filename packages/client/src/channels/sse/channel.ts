import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, HttpStatusError, LongwireError } from '../../errors.js';
import { YoungMap } from '../../young-map.js';
import type { Channel, ChannelHandlers, Resumption } from '../channel.js';
import type { EventCursor } from '../../http/event-cursor.js';
import type { StreamEvent } from '../../http/event-decoder.js';
import type { EventStream } from '../../http/event-stream.js';
import { isSessionLost, sessionLostError } from '../session-lost.js';
import type { HttpClient } from '../../http/client.js';
import {
  isAnswer,
  readAnswers,
  readMessages,
  type ReadMessage,
  type ReadOptions,
} from '../message.js';
import { SseResumption } from './resumption.js';
import { displayUrl } from '../../http/display-url.js';
import { Post } from './post.js';
import { withTimeout } from '../../with-timeout.js';
import type { SendOptions } from '../../http/send-options.js';

/** How long a cancellation waits for the POST of its request. */
const CANCEL_AFTER_MS = 500;
/** How long the open POSTs may take once the session is lost. */
const LAST_POSTS_MS = 1000;

/** What an SSE channel is made with. */
export interface SseChannelOptions {
  http: HttpClient;
  stream: EventStream;
  /** Where to POST: what the `endpoint` event named. */
  endpoint: URL;
  /** The position in the stream; of a resumed stream, that of the stream before. */
  cursor: EventCursor;
  handlers: ChannelHandlers;
}

/**
 * HTTP+SSE of protocol 2024-11-05: the server sends all messages on one stream, and the client sends
 * each of its messages in a POST to the endpoint that the stream named.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export class SseChannel implements Channel {
  readonly transport = 'sse';
  readonly era = 'legacy';
  readonly address: string;
  readonly #endpoint: URL;
  readonly #http: HttpClient;
  readonly #stream: EventStream;
  readonly #cursor: EventCursor;
  readonly #handlers: ChannelHandlers;
  readonly #reading: ReadOptions;
  /** By request, as long as its POST is not answered. */
  readonly #posts = new YoungMap<RequestId, Post>();
  #ended = false;
  #sessionLost = false;
  #isStreamOver = false;
  /** Set while it drains. */
  #onBroken: ((reason: LongwireError) => void) | undefined;
  /** A message was over a limit; a resumed stream would repeat it. */
  #isOverLimit = false;

  constructor(options: SseChannelOptions) {
    this.#endpoint = options.endpoint;
    this.address = displayUrl(this.#endpoint);
    this.#http = options.http;
    this.#stream = options.stream;
    this.#cursor = options.cursor;
    this.#handlers = options.handlers;
    this.#reading = { bounds: options.http.jsonBounds };
    this.#stream.listener = {
      onEvent: (event) => this.#take(event),
      onUnended: ({ data }) => this.#takeAnswers(data),
      onEnd: (reason) => {
        this.#isStreamOver = true;
        // The POSTs that are open after the session was lost say which requests did not run.
        if (!this.#sessionLost) this.#end(reason);
        this.#onBroken?.(reason);
      },
    };
  }

  get lastActivityAt(): number {
    return this.#stream.lastActivityAt;
  }

  get askedDelayMs(): number | undefined {
    return this.#stream.retryMs;
  }

  /** An endpoint without a query names no session: it may be the same for all. */
  get resumption(): Resumption | undefined {
    if (this.#sessionLost || this.#isOverLimit || this.#endpoint.search === '') return undefined;
    if (this.#cursor.lastEventId === undefined) return undefined;
    return new SseResumption(this.#endpoint, this.#cursor);
  }

  send(message: JSONRPCMessage, onWire?: () => void, options?: SendOptions): Promise<void> {
    const isRequest = !isAnswer(message) && 'id' in message;
    if ((this.#ended || this.#sessionLost) && (isRequest || this.#onBroken === undefined)) {
      return Promise.reject(endedError(this.#endpoint));
    }
    if (isRequest) return this.#request(message, message.id, onWire, options);
    if (isAnswer(message)) return this.#post(message, options);
    if (message.method !== 'notifications/cancelled') return this.#post(message, options);
    return this.#postCancellation(message, message.params?.['requestId'] as RequestId, options);
  }

  abandon(reason: LongwireError, how: 'gone' | 'away'): void {
    if (how === 'gone') this.#loseSession(reason);
    else setImmediate(() => this.#end(reason));
  }

  drain(
    requests: ReadonlySet<RequestId>,
    onBroken: (reason: LongwireError) => void,
  ): readonly RequestId[] {
    if (!this.#sessionLost || this.#isStreamOver) return [];
    this.#onBroken = onBroken;
    return [...requests];
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#onBroken = undefined;
    this.#stream.close();
    await this.#http.close();
  }

  /**
   * Withdraws a request that has not left. Otherwise the POST of the request gets a moment, so that
   * the server knows the id; a server that holds the POST is told all the same, and then the POST is
   * aborted.
   */
  async #postCancellation(
    message: JSONRPCMessage,
    id: RequestId,
    caller: SendOptions | undefined,
  ): Promise<void> {
    const post = this.#posts.get(id);
    if (post !== undefined && !post.isOnWire) {
      post.cancel();
      return;
    }
    if (post !== undefined) await withTimeout(CANCEL_AFTER_MS, post.settled());
    await this.#post(message, caller);
    post?.cancel();
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
      const post = new Post({
        message,
        endpoint: this.#endpoint,
        transport: 'sse',
        caller,
        onSent: onWire,
        onAccepted: () => {
          if (id !== undefined) this.#posts.delete(id);
          resolve();
        },
        onError: (error) => {
          if (id !== undefined) this.#posts.delete(id);
          if (!isSessionLost(error)) {
            reject(didNotRun(error));
            return;
          }
          const lost = sessionLostError(this.#endpoint, error);
          reject(lost);
          this.#loseSession(lost);
        },
      });
      if (id !== undefined) this.#posts.set(id, post);
      post.send(this.#http);
    });
  }

  /**
   * Nothing that is sent to this session from now on can succeed. The channel ends once the open
   * POSTs have settled: what the server refuses because of the lost session certainly did not run.
   */
  #loseSession(reason: LongwireError): void {
    if (this.#sessionLost) return;
    this.#sessionLost = true;
    const open = this.#posts.values().map((post) => post.settled());
    void withTimeout(LAST_POSTS_MS, Promise.all(open)).then(() =>
      setImmediate(() => this.#end(reason)),
    );
  }

  #take(event: StreamEvent): void {
    if (event.id !== undefined && !this.#cursor.take(event.id)) return;
    // An event without data only sets the id.
    if (event.data === '' || event.type === 'endpoint') return;
    if (event.type === 'message') readMessages(event.data, this.#read, this.#reading);
    else this.#takeAnswers(event.data);
  }

  /** Of an event that is not of the protocol, only answers to our requests count. */
  #takeAnswers(text: string): void {
    readAnswers(text, (message, alone) => this.#read({ message }, alone), this.#reading);
  }

  readonly #read = ({ message, error, answerTo }: ReadMessage, text?: string): void => {
    if (message === undefined) {
      this.#handlers.onError(error, answerTo);
      return;
    }
    this.#http.counts.received(message, text);
    if (isAnswer(message)) this.#posts.get(message.id as RequestId)?.requestAnswered();
    this.#handlers.onMessage(message);
  };

  #end(reason: LongwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#isOverLimit = reason.code === 'limit-exceeded';
    // The stream of a lost session may still bring answers.
    if (!this.#sessionLost) this.#stream.close();
    for (const post of this.#posts.values()) if (!post.isOnWire) post.cancel();
    this.#handlers.onEnd(reason);
  }
}

/** A 503 on an open session comes from a proxy in front of the server: the request did not run. */
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
