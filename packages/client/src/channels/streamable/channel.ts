import type {
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResponse,
  RequestId,
} from '@modelcontextprotocol/client';
import {
  ConnectionLostError,
  HttpStatusError,
  LongwireError,
  type Certainty,
} from '../../errors.js';
import { YoungMap } from '../../young-map.js';
import type { HttpRequestOptions, ResponseHandler } from '../../http/request-options.js';
import type { BrokenStream, Channel, ChannelHandlers, Resumption } from '../channel.js';
import type { EventCursor } from '../../http/event-cursor.js';
import { EventStream, type EventStreamOptions } from '../../http/event-stream.js';
import { sessionLostError } from '../session-lost.js';
import { toJson } from '../../untrusted/exact-json.js';
import type { HttpClient } from '../../http/client.js';
import { isAnswer } from '../message.js';
import { displayUrl } from '../../http/display-url.js';
import {
  StreamableResponse,
  type BrokenResponse,
  type StreamableResponseHandlers,
  type StreamableResponseOptions,
} from './response.js';
import { errorMeaning, isFromServer, isNotOffered, isTransient } from '../error-meaning.js';
import { GetStream } from './server-stream.js';
import type { StreamableResumption } from './resumption.js';
import { StreamableSession } from './session.js';
import { withTimeout } from '../../with-timeout.js';
import type { TransportName } from '../../transport-name.js';
import type { Era } from '../../protocol-version.js';
import type { SendOptions } from '../../http/send-options.js';

/** How long a cancellation waits until the server has begun to answer its request. */
const CANCEL_AFTER_MS = 500;
/** How long open requests may take once the session is lost, and a cancellation. */
const LAST_RESPONSES_MS = 1000;

/** What a Streamable HTTP channel is made with. */
export interface StreamableChannelOptions {
  http: HttpClient;
  url: URL;
  era: Era;
  maxEventBytes: number;
  handlers: ChannelHandlers;
  /** The session that it resumes. Default: the one that `initialize` begins. */
  session?: StreamableResumption | undefined;
}

/**
 * Streamable HTTP: each request is a POST, and the response to that POST brings its answer. In the
 * legacy era there is a session, if the server wants one, and a stream by GET on which the server
 * speaks unasked; in the modern era there is neither.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export class StreamableChannel implements Channel {
  readonly transport = 'streamable-http';
  readonly era: Era;
  readonly address: string;
  readonly #http: HttpClient;
  readonly #url: URL;
  readonly #handlers: ChannelHandlers;
  readonly #responseHandlers: StreamableResponseHandlers;
  readonly #responses = new YoungMap<RequestId, StreamableResponse>();
  readonly #closing = new AbortController();
  readonly #session: StreamableSession;
  readonly #serverStream: GetStream;
  #probe: StreamableResponse | undefined;
  #lastActivityAt: number = performance.now();
  #retryMs: number | undefined;
  #ended = false;
  #isDraining = false;
  /** The server has answered. */
  #isKnown = false;
  #sessionLost = false;
  #closed: Promise<void> | undefined;

  constructor({ http, url, era, maxEventBytes, handlers, session }: StreamableChannelOptions) {
    this.era = era;
    this.address = displayUrl(url);
    this.#http = http;
    this.#url = url;
    this.#handlers = handlers;
    this.#isKnown = session !== undefined;
    this.#session = new StreamableSession(url, era, session);
    this.#responseHandlers = {
      url,
      jsonBounds: http.jsonBounds,
      maxEventBytes,
      isResumable: () => this.#session.hasId && !this.#sessionLost,
      mayAnswerElsewhere: () => this.#isKnown && this.#serverStream.isWanted && !this.#ended,
      onHead: ({ headers }) => this.#session.takeId(headers['mcp-session-id'], http),
      onMessage: (message, requestId, text) => this.#take(message, text, requestId),
      onError: (error, answerTo) => {
        if (!this.#ended || this.#isDraining) handlers.onError(error, answerTo);
      },
      onActivity: () => {
        this.#lastActivityAt = performance.now();
      },
      onRetry: (retryMs) => {
        this.#retryMs = retryMs;
      },
      interpret: (error, body, id) => this.#interpret(error, body, id),
    };
    this.#serverStream = new GetStream({
      cursor: this.#session.cursor,
      jsonBounds: http.jsonBounds,
      open: (listener, cursor) =>
        this.#openStream({ cursor, listener, signal: this.#closing.signal, isServerStream: true }),
      onMessage: (message, text) => this.#take(message, text),
      onError: (error, answerTo) => this.#responseHandlers.onError(error, answerTo),
    });
  }

  /** The transport, once the server has answered by it. */
  get #knownTransport(): TransportName | undefined {
    return this.#isKnown ? this.transport : undefined;
  }

  /** Now, while nothing is open that could be silent. */
  get lastActivityAt(): number {
    const isOpen = this.#responses.size > 0 || this.#serverStream.isOpen;
    return isOpen
      ? Math.max(this.#lastActivityAt, this.#serverStream.lastActivityAt ?? 0)
      : performance.now();
  }

  get askedDelayMs(): number | undefined {
    return this.#serverStream.retryMs ?? this.#retryMs;
  }

  get resumption(): Resumption | undefined {
    return this.#sessionLost ? undefined : this.#session.resumption;
  }

  send(message: JSONRPCMessage, onWire?: () => void, options?: SendOptions): Promise<void> {
    const isRequest = !isAnswer(message) && 'id' in message;
    if ((this.#ended || this.#sessionLost) && (isRequest || !this.#isDraining)) {
      return Promise.reject(this.#endedError('not-sent'));
    }
    if (isRequest) return this.#request(message, message.id, onWire, options);
    if (!('method' in message) || message.method !== 'notifications/cancelled') {
      return this.#post(message, options);
    }
    return this.#cancel(message, message.params?.['requestId'] as RequestId, options);
  }

  resume(broken: BrokenStream, caller?: SendOptions): Promise<void> {
    // The server took the request, whatever becomes of its answer.
    if (this.#ended || this.#sessionLost)
      return Promise.reject(this.#endedError('outcome-unknown'));
    const { requestId: id, cursor } = broken as BrokenResponse;
    return this.#expect({ id, cursor }, (response) => {
      cursor.resume();
      void response.resume((listener, signal) =>
        this.#openStream({ cursor, listener, signal, caller }),
      );
    });
  }

  async listen(onOpen: (isResumed: boolean) => void): Promise<void> {
    if (this.era === 'modern') return;
    try {
      await this.#serverStream.listen(onOpen);
    } catch (error) {
      const reason = error as LongwireError;
      const meant = this.#interpret(reason, undefined, undefined) as LongwireError;
      // Where there was a stream before, a 404 is about the session.
      if (meant !== reason && this.#serverStream.wasOffered) throw this.#endAfter(meant);
      if (isNotOffered(reason, this.#serverStream.wasOffered)) return;
      // The server may have refused the event id: the next time it is asked for none.
      if (reason instanceof HttpStatusError && !isTransient(reason)) this.#session.cursor.take('');
      throw this.#endAfter(reason);
    } finally {
      this.#retryMs = this.#serverStream.retryMs ?? this.#retryMs;
      if (this.#session.cursor.lastEventId === undefined) this.#failElsewhere();
    }
  }

  abandon(reason: LongwireError, how: 'gone' | 'away'): void {
    if (how === 'gone') this.#loseSession(reason);
    else setImmediate(() => this.#end(reason));
  }

  drain(requests: ReadonlySet<RequestId>): readonly RequestId[] {
    if (!this.#sessionLost) return [];
    for (const response of this.#responses.values()) {
      if (!requests.has(response.id)) response.cancel();
    }
    const ids = this.#responses.values().map(({ id }) => id);
    const left = ids.filter((id) => requests.has(id));
    this.#isDraining = left.length > 0;
    return left;
  }

  close({ keepSession = false }: { keepSession?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#close(keepSession);
    return this.#closed;
  }

  async #close(keepSession: boolean): Promise<void> {
    const isOpen = !this.#ended && !this.#sessionLost && this.#session.hasId;
    this.#ended = true;
    this.#serverStream.close();
    this.#closing.abort();
    if (isOpen && !keepSession) await this.#session.delete(this.#http, this.#knownTransport);
    await this.#http.close();
  }

  #request(
    message: JSONRPCRequest,
    id: RequestId,
    onWire: (() => void) | undefined,
    options: SendOptions | undefined,
  ): Promise<void> {
    return this.#expect({ id, onWire }, (response) => {
      const request = this.#requestFor(message, options, response);
      request.isServerStream = message.method === 'subscriptions/listen';
      if (options?.isProbe === true) {
        request.isProbe = true;
        // A probe without an answer would keep the connection for probes busy.
        this.#probe?.cancel();
        this.#probe = response;
      }
      response.carriedBy(this.#http.send(request));
    });
  }

  /** Fulfilled when the answer has come. */
  #expect(
    options: StreamableResponseOptions,
    start: (response: StreamableResponse) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const response = new StreamableResponse(this.#responseHandlers, options, (error) => {
        this.#responses.delete(options.id);
        if (error === undefined) resolve();
        else reject(this.#endAfter(error));
      });
      // Throws for a message that is no JSON.
      start(response);
      if (!response.isSettled) this.#responses.set(options.id, response);
    });
  }

  #requestFor<Handler extends ResponseHandler | undefined>(
    message: JSONRPCMessage,
    caller: SendOptions | undefined,
    handler: Handler,
  ): Omit<HttpRequestOptions, 'handler'> & { handler: Handler } {
    return {
      method: 'POST',
      url: this.#url,
      transport: this.#knownTransport,
      headers: this.#session.headersOf(message),
      body: toJson(message),
      message,
      caller,
      isProbe: false,
      handler,
    };
  }

  /** Sends a notification or an answer: the server accepts it with 202, or refuses it. */
  async #post(message: JSONRPCMessage, caller?: SendOptions, limitMs = Infinity): Promise<void> {
    const sent = this.#http.request(this.#requestFor(message, caller, undefined));
    const timer =
      limitMs === Infinity ? undefined : setTimeout(() => sent.abort(), limitMs).unref();
    try {
      await sent.answer;
    } catch (error) {
      const meant = this.#interpret(error as LongwireError, undefined, undefined);
      throw this.#endAfter(meant as LongwireError);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Withdraws a request that has not left. In the modern era the client closes the stream that would
   * bring the answer; in the legacy era it sends the cancellation, after a moment in which the server
   * can take the request.
   */
  async #cancel(message: JSONRPCMessage, id: RequestId, caller?: SendOptions): Promise<void> {
    const response = this.#responses.get(id);
    if (this.era === 'modern' || (response !== undefined && !response.isOnWire)) {
      response?.cancel();
      return;
    }
    if (response !== undefined) await withTimeout(CANCEL_AFTER_MS, response.accepted());
    const posted = this.#post(message, caller, LAST_RESPONSES_MS);
    // Nobody waits for the answer any more, and it keeps a socket busy.
    const settled = posted.catch(() => {});
    void withTimeout(LAST_RESPONSES_MS, settled).then(() => response?.cancel());
    await posted;
  }

  #openStream({
    cursor,
    ...options
  }: Pick<EventStreamOptions, 'listener' | 'signal' | 'isServerStream' | 'caller'> & {
    cursor: EventCursor;
  }): Promise<EventStream> {
    return EventStream.open(this.#http, {
      ...options,
      url: this.#url,
      transport: this.#knownTransport,
      maxEventBytes: this.#responseHandlers.maxEventBytes,
      lastEventId: cursor.lastEventId,
      headers: this.#session.headers,
    });
  }

  #take(message: JSONRPCMessage, text: string | undefined, requestId?: RequestId): void {
    if (this.#ended && !this.#isDraining) return;
    this.#http.counts.received(message, text);
    if (isAnswer(message)) {
      this.#isKnown = true;
      const { id } = message;
      if (id !== requestId) this.#responses.get(id as RequestId)?.answeredElsewhere();
    }
    this.#session.takeVersion(message);
    this.#handlers.onMessage(message, requestId);
  }

  /** What an HTTP error means for the channel; a message if its body is the answer. */
  #interpret(
    error: LongwireError,
    body: string | undefined,
    id: RequestId | undefined,
  ): LongwireError | JSONRPCResponse {
    if (isFromServer(error)) this.#lastActivityAt = performance.now();
    const found = errorMeaning(error, body, {
      id,
      era: this.era,
      wasKnown: this.#isKnown,
      namesSession: this.#session.hasId,
      jsonBounds: this.#http.jsonBounds,
    });
    if (found.meaning === 'answer') return found.answer;
    return found.meaning === 'session-lost' ? sessionLostError(this.#url, found.error) : error;
  }

  /** Ends the channel after an error that is not about one request alone. Returns the error. */
  #endAfter(error: LongwireError): LongwireError {
    // A stream that could not be resumed has the reason as its cause.
    for (const each of [error, error.cause]) {
      if (!(each instanceof LongwireError)) continue;
      const { code, certainty } = each;
      if (code === 'connection-lost' && certainty === 'refused') this.#loseSession(each);
      if (code === 'connect-failed' && this.#isKnown) setImmediate(() => this.#endIfIdle(each));
    }
    return error;
  }

  /**
   * Nothing that is sent to this session from now on can succeed. The channel ends once the open
   * requests have begun to be answered: what the server refuses like this certainly did not run.
   */
  #loseSession(reason: LongwireError): void {
    if (this.#sessionLost) return;
    this.#sessionLost = true;
    const open = this.#responses.values().map((response) => response.accepted());
    void withTimeout(LAST_RESPONSES_MS, Promise.all(open)).then(() =>
      setImmediate(() => this.#end(reason)),
    );
  }

  /** No answer will come on the server stream, which ended. */
  #failElsewhere(): void {
    for (const response of this.#responses.values()) {
      response.failElsewhere('the stream for the answer ended');
    }
  }

  /** A server that works on a request is alive, and only accepts no more connections. */
  #endIfIdle(reason: LongwireError): void {
    const { isOpen } = this.#serverStream;
    if (!isOpen && !this.#responses.values().some(({ isOnWire }) => isOnWire)) this.#end(reason);
  }

  #end(reason: LongwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#serverStream.close();
    this.#failElsewhere();
    for (const response of this.#responses.values()) if (!response.isOnWire) response.cancel();
    this.#handlers.onEnd(reason);
  }

  #endedError(certainty: Certainty): LongwireError {
    return new ConnectionLostError(`the session with ${this.address} had ended`, { certainty });
  }
}
