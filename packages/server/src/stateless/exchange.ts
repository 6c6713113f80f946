import type { JSONRPCErrorResponse, JSONRPCMessage } from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { insufficientScope } from '../auth/challenge.js';
import type { ClientCall } from '../calls/client-call.js';
import type { CallOutcome } from '../calls/call.js';
import { EventStream, encodeEvent, type EventStreamOptions } from '../events/event-stream.js';
import { messageText } from '../events/message-text.js';
import { errorOf, refuse, type Refusal } from '../refusal.js';

/** What an exchange needs of its mount. */
export interface ExchangeHost {
  readonly events: EventStreamOptions;
  /** Told how a call ended; only the first time counts. */
  ended(exchange: Exchange, outcome: CallOutcome): void;
  /** Told of every event stream, when it begins. */
  streaming(stream: EventStream): void;
}

/** A subscription ends with an empty result, which the SDK writes. */
const SUBSCRIPTION_OVER: CallOutcome = { kind: 'result', result: { resultType: 'complete' } };

/**
 * One request of the stateless protocol and its response, which is written here whoever answers: the
 * server, the SDK's handler, or the kit in their place.
 */
export class Exchange {
  readonly request: FastifyRequest;
  /** Missing for what is no request. */
  readonly call: ClientCall | undefined;
  /** Whether there is a server that may run it. */
  hasServer = false;
  /** Whether the server has answered, and does nothing more for this call. */
  isServed = false;
  /** What is answered where there is no server. */
  noServer: Refusal | undefined;
  readonly #reply: FastifyReply;
  readonly #host: ExchangeHost;
  readonly #unwanted = new AbortController();
  #isHandedOver = false;
  #stream: EventStream | undefined;
  #isAnswered = false;

  constructor(
    reply: FastifyReply,
    { call, host }: { call: ClientCall | undefined; host: ExchangeHost },
  ) {
    this.request = reply.request;
    this.call = call;
    this.#reply = reply;
    this.#host = host;
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) this.#cancel();
      this.#host.ended(this, { kind: 'cancelled' });
    });
  }

  /** Aborted when nobody waits for the server any more. */
  get signal(): AbortSignal {
    return this.#unwanted.signal;
  }

  /** Whether the answer is sent, or its client has left. */
  get isOver(): boolean {
    return this.#isAnswered || this.#reply.raw.destroyed;
  }

  /** Whether the call goes on when this is over: it is a task. */
  get isHandedOver(): boolean {
    return this.#isHandedOver;
  }

  /** The call is a task now: what ends this does not end it. */
  handOver(): void {
    this.#isHandedOver = true;
  }

  /** Whether the response is an event stream. */
  get isStreaming(): boolean {
    return this.#stream !== undefined;
  }

  /**
   * Sends what comes before the answer, which makes the response an event stream. Fulfilled when the reader
   * keeps up.
   *
   * @throws Error if the message is too long or no JSON.
   */
  tell(message: JSONRPCMessage): Promise<void> | undefined {
    if (this.isOver) return undefined;
    return this.#send(this.#open(), this.#textOf(message).text);
  }

  /** Sends the answer: as one JSON body, or as the last event. */
  answer(message: JSONRPCMessage): void {
    if (this.isOver) return;
    const { message: sent, text } = this.#textOf(message);
    this.#isAnswered = true;
    this.#host.ended(this, outcomeOf(sent));
    if (this.#stream !== undefined) {
      void this.#send(this.#stream, text);
      this.#stream.end();
      return;
    }
    this.#host.events.budget.addUntilClosed(Buffer.byteLength(text), this.#reply.raw);
    void this.#reply.code(200).header('content-type', 'application/json').send(text);
  }

  /** Answers in the place of the server, whose handler is aborted. */
  fail(error: JSONRPCErrorResponse['error']): void {
    if (this.call === undefined || this.isOver) return;
    this.answer({ jsonrpc: '2.0', id: this.call.id, error });
    this.#cancel();
  }

  /** Answers before anything ran. */
  refuse(refusal: Refusal, outcome: CallOutcome = { kind: 'refused', refusal }): void {
    if (this.isOver) return;
    this.#isAnswered = true;
    this.#host.ended(this, outcome);
    refuse(this.#reply, refusal, this.call?.id);
    this.#cancel();
  }

  /** The same, where what failed was the server's. */
  refuseAsError(refusal: Refusal): void {
    this.refuse(refusal, { kind: 'error', error: errorOf(refusal) });
  }

  /** Sends what the SDK's handler answers. */
  async respond(response: Response): Promise<void> {
    const { status, headers, body } = response;
    if (body !== null && isEventStream(headers)) {
      void this.#pipe(body);
      return;
    }
    const text = await response.text();
    if (this.isOver) return;
    const challenge = headers.get('www-authenticate');
    if (challenge !== null) {
      this.refuse(scopeRefusal(challenge));
      return;
    }
    this.#isAnswered = true;
    this.#host.ended(this, outcomeOf(parsed(text)));
    const reply = this.#reply.code(status).headers(Object.fromEntries(headers));
    void (body === null ? reply.send() : reply.send(text));
  }

  /** Ends a response that nothing was sent with, as nobody reads it. */
  abandon(): void {
    if (!this.isStreaming) this.cut();
  }

  /** Closes the connection without an answer. */
  cut(): void {
    if (this.#isAnswered) return;
    if (!this.isStreaming) this.#reply.hijack();
    this.#reply.raw.destroy();
  }

  /** Sends events as they come. What waits for the reader is counted in one place, by its stream. */
  async #pipe(events: ReadableStream<Uint8Array>): Promise<void> {
    const stream = this.#open();
    try {
      for await (const event of events) void stream.send(event);
      if (!this.isOver) this.#host.ended(this, SUBSCRIPTION_OVER);
    } catch (error) {
      if (!this.isOver) this.request.log.info(error, 'an event stream is cut');
    }
    this.#isAnswered = true;
    stream.end();
  }

  #open(): EventStream {
    if (this.#stream !== undefined) return this.#stream;
    this.#stream = new EventStream(this.#reply, this.#host.events);
    this.#host.streaming(this.#stream);
    return this.#stream;
  }

  #send(stream: EventStream, text: string): Promise<void> | undefined {
    if (stream.isEnded) return undefined;
    try {
      return stream.send(encodeEvent('message', text));
    } catch (error) {
      // It cannot be resumed: the connection closes, and with it the call.
      this.request.log.info(error, 'an event stream is cut');
      return undefined;
    }
  }

  #textOf(message: JSONRPCMessage): { message: JSONRPCMessage; text: string } {
    const { maxBufferedBytes: maxMessageBytes } = this.#host.events;
    return messageText(message, { maxMessageBytes, log: this.request.log });
  }

  #cancel(): void {
    if (!this.#isHandedOver) this.call?.cancel();
    this.#unwanted.abort();
  }
}

function isEventStream(headers: Headers): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') === true;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function outcomeOf(message: unknown): CallOutcome {
  const { error, result } = (message ?? {}) as Partial<JSONRPCErrorResponse & { result: object }>;
  if (error !== undefined) return { kind: 'error', error };
  return result === undefined
    ? { kind: 'cancelled' }
    : { kind: 'result', result: result as Record<string, unknown> };
}

/** What the SDK answers where scopes are missing, in the form that sessions answer it. */
function scopeRefusal(challenge: string): Refusal {
  const scopes = /scope="([^"]*)"/.exec(challenge)?.[1] ?? '';
  return { ...insufficientScope(scopes.split(' ')), headers: { 'www-authenticate': challenge } };
}
