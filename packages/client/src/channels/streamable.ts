import type {
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResponse,
  RequestId,
} from '@modelcontextprotocol/client';
import { ConnectionLostError, HttpStatusError, LongwireError, type Certainty } from '../errors.js';
import { YoungMap } from '../young-map.js';
import type { HttpRequest } from './attempts.js';
import type {
  BrokenStream,
  Channel,
  ChannelHandlers,
  Dialect,
  Era,
  Resumption,
  SendOptions,
} from './channel.js';
import type { EventCursor } from './event-cursor.js';
import { EventStream, type EventStreamOptions } from './event-stream.js';
import { forgottenError } from './forgotten.js';
import { toJson } from './exact-json.js';
import type { Http } from './http.js';
import { isAnswer } from './message.js';
import { place } from './place.js';
import { Reply, type BrokenReply, type ReplyHost, type ReplyOptions } from './reply.js';
import { isNoOffer, isOfServer, isPassing, judgeRefusal } from './refusal.js';
import { ServerStream } from './server-stream.js';
import { StreamableSession, type StreamableResumption } from './streamable-session.js';
import { within } from './within.js';

/** How long a cancellation waits until the server has begun to answer its request. */
const CANCEL_AFTER_MS = 500;
/** How long what is under way may take when the session is gone. */
const LAST_REPLIES_MS = 1000;
/** How long the end of a session may take. */
const FAREWELL_MS = 1000;

/** What a Streamable HTTP channel is made of. */
export interface StreamableChannelOptions {
  http: Http;
  url: URL;
  era: Era;
  maxEventBytes: number;
  handlers: ChannelHandlers;
  /** The session that it goes on with. Default: the one that `initialize` begins. */
  session?: StreamableResumption | undefined;
}

/**
 * Streamable HTTP: each request is a POST, and its answer comes in the body of that POST. Of the
 * legacy era it has a session, if the server wants one, and a stream by GET on which the server
 * speaks unasked; of the modern era it has neither.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export class StreamableChannel implements Channel {
  readonly dialect = 'streamable-http';
  readonly era: Era;
  readonly address: string;
  readonly #http: Http;
  readonly #url: URL;
  readonly #handlers: ChannelHandlers;
  readonly #host: ReplyHost;
  readonly #replies = new YoungMap<RequestId, Reply>();
  readonly #closing = new AbortController();
  readonly #session: StreamableSession;
  readonly #serverStream: ServerStream;
  #probe: Reply | undefined;
  #heardAt: number = performance.now();
  #retryMs: number | undefined;
  #ended = false;
  /** The server has answered. */
  #isKnown = false;
  #sessionGone = false;
  #closed: Promise<void> | undefined;

  constructor({ http, url, era, maxEventBytes, handlers, session }: StreamableChannelOptions) {
    this.era = era;
    this.address = place(url);
    this.#http = http;
    this.#url = url;
    this.#handlers = handlers;
    this.#isKnown = session !== undefined;
    this.#session = new StreamableSession(url, era, session);
    this.#host = {
      url,
      jsonBounds: http.jsonBounds,
      maxEventBytes,
      isResumable: () => this.#session.isNamed && !this.#sessionGone,
      mayAnswerElsewhere: () => this.#isKnown && this.#serverStream.isHoped && !this.#ended,
      onHead: ({ headers }) => this.#session.learnName(headers['mcp-session-id']),
      onMessage: (message, requestId) => this.#take(message, requestId),
      onTrouble: (error, answerTo) => {
        if (!this.#ended) handlers.onTrouble(error, answerTo);
      },
      onHeard: () => {
        this.#heardAt = performance.now();
      },
      onRetry: (retryMs) => {
        this.#retryMs = retryMs;
      },
      refused: (error, body, id) => this.#refused(error, body, id),
    };
    this.#serverStream = new ServerStream({
      cursor: this.#session.cursor,
      jsonBounds: http.jsonBounds,
      open: (listener, cursor) =>
        this.#openStream({ cursor, listener, signal: this.#closing.signal, isHearing: true }),
      onMessage: (message) => this.#take(message),
      onTrouble: (error, answerTo) => this.#host.onTrouble(error, answerTo),
    });
  }

  /** What is known of the server by now. */
  get #spoken(): Dialect | undefined {
    return this.#isKnown ? this.dialect : undefined;
  }

  /** While nothing is open, there is nothing that could fall silent. */
  get heardAt(): number {
    const isOpen = this.#replies.size > 0 || this.#serverStream.isOpen;
    return isOpen ? Math.max(this.#heardAt, this.#serverStream.heardAt ?? 0) : performance.now();
  }

  get askedDelayMs(): number | undefined {
    return this.#serverStream.retryMs ?? this.#retryMs;
  }

  get resumption(): Resumption | undefined {
    return this.#sessionGone ? undefined : this.#session.resumption;
  }

  send(message: JSONRPCMessage, onWire?: () => void, options?: SendOptions): Promise<void> {
    if (this.#isOver) return Promise.reject(this.#endedError('not-sent'));
    if (!isAnswer(message)) {
      if ('id' in message) return this.#request(message, message.id, onWire, options);
      if (message.method === 'notifications/cancelled') {
        return this.#cancel(message, message.params?.['requestId'] as RequestId, options);
      }
    }
    return this.#say(message, options);
  }

  resume(broken: BrokenStream, caller?: SendOptions): Promise<void> {
    // The request was taken, whatever becomes of its answer.
    if (this.#isOver) return Promise.reject(this.#endedError('outcome-unknown'));
    const { requestId: id, cursor } = broken as BrokenReply;
    return this.#expect({ id, cursor }, (reply) => {
      cursor.resume();
      void reply.goOn((listener, signal) => this.#openStream({ cursor, listener, signal, caller }));
    });
  }

  async listen(onOpen: (isContinued: boolean) => void): Promise<void> {
    if (this.era === 'modern') return;
    try {
      await this.#serverStream.listen(onOpen);
    } catch (error) {
      const reason = error as LongwireError;
      const met = this.#refused(reason, undefined, undefined) as LongwireError;
      // Where there was a stream before, "not found" is said of the session.
      if (met !== reason && this.#serverStream.wasOffered) throw this.#met(met);
      if (isNoOffer(reason, this.#serverStream.wasOffered)) return;
      // It may be the place that it was to go on from which was refused.
      if (reason instanceof HttpStatusError && !isPassing(reason)) this.#session.cursor.take('');
      throw this.#met(reason);
    } finally {
      this.#retryMs = this.#serverStream.retryMs ?? this.#retryMs;
      if (this.#session.cursor.lastEventId === undefined) this.#unheard();
    }
  }

  abandon(reason: LongwireError, how: 'gone' | 'away'): void {
    if (how === 'gone') this.#forgotten(reason);
    else setImmediate(() => this.#end(reason));
  }

  close({ keepSession = false }: { keepSession?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#close(keepSession);
    return this.#closed;
  }

  async #close(keepSession: boolean): Promise<void> {
    const isOpen = !this.#ended && !this.#sessionGone && this.#session.isNamed;
    this.#ended = true;
    this.#serverStream.close();
    this.#closing.abort();
    if (isOpen && !keepSession) {
      const farewell = this.#http.request({
        method: 'DELETE',
        url: this.#url,
        dialect: this.#spoken,
        headers: this.#session.headers,
      });
      // A server may forbid it, or be gone: it forgets the session by itself then.
      const answered = farewell.answer.catch(() => {});
      await within(FAREWELL_MS, answered);
      farewell.abort();
    }
    await this.#http.close();
  }

  #request(
    message: JSONRPCRequest,
    id: RequestId,
    onWire: (() => void) | undefined,
    options: SendOptions | undefined,
  ): Promise<void> {
    return this.#expect({ id, started: onWire }, (reply) => {
      const request = this.#posting(message, options, reply);
      request.isHearing = message.method === 'subscriptions/listen';
      if (options?.isProbe === true) {
        request.isProbe = true;
        // One that was not answered would hold the connection that it is asked on.
        this.#probe?.giveUp();
        this.#probe = reply;
      }
      reply.carriedBy(this.#http.send(request, reply));
    });
  }

  /** Fulfilled when the reply has brought its answer. */
  #expect(options: ReplyOptions, start: (reply: Reply) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const reply = new Reply(this.#host, options, (error) => {
        this.#replies.delete(options.id);
        if (error === undefined) resolve();
        else reject(this.#met(error));
      });
      // What JSON cannot say throws here.
      start(reply);
      if (!reply.isSettled) this.#replies.set(options.id, reply);
    });
  }

  #posting(message: JSONRPCMessage, caller?: SendOptions, sink?: Reply): HttpRequest {
    return {
      method: 'POST',
      url: this.#url,
      dialect: this.#spoken,
      headers: this.#session.headersOf(message, caller?.headers),
      body: toJson(message),
      caller,
      isProbe: false,
      sink,
    };
  }

  /** What is no request is taken with 202, or refused. */
  async #say(message: JSONRPCMessage, caller?: SendOptions, limitMs = Infinity): Promise<void> {
    const sent = this.#http.request(this.#posting(message, caller));
    if (limitMs < Infinity) {
      const giveUp = setTimeout(() => sent.abort(), limitMs).unref();
      sent.answer.catch(() => {}).finally(() => clearTimeout(giveUp));
    }
    try {
      await sent.answer;
    } catch (error) {
      const meant = this.#refused(error as LongwireError, undefined, undefined);
      throw this.#met(meant as LongwireError);
    }
  }

  /**
   * A request that has not left is withdrawn. The modern era closes the stream that would bring
   * the answer; a server of the legacy era is told, once it has had a moment to take the request.
   */
  async #cancel(message: JSONRPCMessage, id: RequestId, caller?: SendOptions): Promise<void> {
    const reply = this.#replies.get(id);
    if (this.era === 'modern' || (reply !== undefined && !reply.isOnWire)) {
      reply?.giveUp();
      return;
    }
    if (reply !== undefined) await within(CANCEL_AFTER_MS, reply.accepted());
    const said = this.#say(message, caller, LAST_REPLIES_MS);
    // Whether it is taken or not, nobody waits for the answer any more, and it holds a socket.
    const settled = said.catch(() => {});
    void within(LAST_REPLIES_MS, settled).then(() => reply?.giveUp());
    await said;
  }

  #openStream({
    cursor,
    ...options
  }: Pick<EventStreamOptions, 'listener' | 'signal' | 'isHearing' | 'caller'> & {
    cursor: EventCursor;
  }): Promise<EventStream> {
    return EventStream.open(this.#http, {
      ...options,
      url: this.#url,
      dialect: this.#spoken,
      maxEventBytes: this.#host.maxEventBytes,
      lastEventId: cursor.lastEventId,
      headers: { ...options.caller?.headers, ...this.#session.headers },
    });
  }

  #take(message: JSONRPCMessage, requestId?: RequestId): void {
    if (this.#ended) return;
    this.#http.counts.received();
    if (isAnswer(message)) {
      this.#isKnown = true;
      if (message.id !== requestId) {
        this.#replies.get(message.id as RequestId)?.answeredElsewhere();
      }
    }
    this.#session.learnVersion(message);
    this.#handlers.onMessage(message, requestId);
  }

  #refused(
    error: LongwireError,
    body: string | undefined,
    id: RequestId | undefined,
  ): LongwireError | JSONRPCResponse {
    if (isOfServer(error)) this.#heardAt = performance.now();
    const refusal = judgeRefusal(error, body, {
      id,
      era: this.era,
      wasKnown: this.#isKnown,
      namesSession: this.#session.isNamed,
      jsonBounds: this.#http.jsonBounds,
    });
    if (refusal.meaning === 'answer') return refusal.answer;
    return refusal.meaning === 'forgotten' ? forgottenError(this.#url, refusal.error) : error;
  }

  /** What an error of one request says of them all: the error itself, or what it was met by. */
  #met(error: LongwireError): LongwireError {
    // A stream that could not be gone on with has the reason as its cause.
    for (const met of [error, error.cause]) {
      if (!(met instanceof LongwireError)) continue;
      if (met.code === 'connection-lost' && met.certainty === 'refused') this.#forgotten(met);
      if (met.code === 'connect-failed' && this.#isKnown) setImmediate(() => this.#endIfIdle(met));
    }
    return error;
  }

  /** While the server is at work on something, it is there, and only takes no more connections. */
  #isAtWork(): boolean {
    return this.#serverStream.isOpen || this.#replies.values().some((reply) => reply.isOnWire);
  }

  /**
   * Nothing sent to this session from then on can succeed. What is on its way is let arrive,
   * because what is refused like this certainly did not run.
   */
  #forgotten(reason: LongwireError): void {
    if (this.#sessionGone) return;
    this.#sessionGone = true;
    const underWay = this.#replies.values().map((reply) => reply.accepted());
    void within(LAST_REPLIES_MS, Promise.all(underWay)).then(() =>
      setImmediate(() => this.#end(reason)),
    );
  }

  /** What was to be answered on the stream that is gone will not be. */
  #unheard(): void {
    for (const reply of this.#replies.values()) {
      reply.unheard('the stream that was to bring the answer ended');
    }
  }

  #endIfIdle(reason: LongwireError): void {
    if (!this.#isAtWork()) this.#end(reason);
  }

  #end(reason: LongwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#serverStream.close();
    this.#unheard();
    for (const reply of this.#replies.values()) if (!reply.isOnWire) reply.giveUp();
    this.#handlers.onEnd(reason);
  }

  get #isOver(): boolean {
    return this.#ended || this.#sessionGone;
  }

  #endedError(certainty: Certainty): LongwireError {
    return new ConnectionLostError(`the session with ${this.address} had ended`, { certainty });
  }
}
