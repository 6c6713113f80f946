import type { ServerResponse } from 'node:http';
import { EventLog } from './event-log.ts';
import { beginEvents, sendEvent } from './server-transport.ts';

/** What brings the messages that belong to one request, or to none. */
export interface PostReply {
  /** Something carries it to the client now. */
  readonly isOpen: boolean;
  /** Its answer has been given, or never will be. */
  readonly isOver: boolean;
  send(message: object): void;
  /** Gives up: what was not answered by now will not be. */
  close(): void;
}

/** One JSON document, which is the answer. What comes before it has no place there. */
export class DocumentReply implements PostReply {
  readonly #response: ServerResponse;
  readonly #headers: Record<string, string>;

  constructor(response: ServerResponse, headers: Record<string, string> = {}) {
    this.#response = response;
    this.#headers = headers;
  }

  get isOpen(): boolean {
    return false;
  }

  get isOver(): boolean {
    return this.#response.headersSent || this.#response.destroyed;
  }

  send(message: object): void {
    if (!isAnswer(message) || this.isOver) return;
    const head = { 'content-type': 'application/json', ...this.#headers };
    this.#response.writeHead(200, head).end(JSON.stringify(message));
  }

  /** A request that ran must not be told otherwise: the connection breaks. */
  close(): void {
    if (!this.isOver) this.#response.destroy();
  }
}

/** A stream of events, on whatever connection carries it now. It ends with an answer. */
export class StreamReply implements PostReply {
  readonly #log: EventLog | undefined;
  readonly #name: string;
  #carrier: ServerResponse | undefined;
  #isOver = false;

  /** With a name, it can be resumed by the ids of its events. */
  constructor(name?: string) {
    this.#name = name ?? '';
    this.#log = name === undefined ? undefined : new EventLog();
  }

  get isOpen(): boolean {
    return this.#carrier !== undefined;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Begins on a connection. */
  begin(response: ServerResponse, headers?: Record<string, string>): void {
    beginEvents(response, headers);
    this.#carriedBy(response);
  }

  /** Resumes after an event; false if some later events are dropped. */
  resume(response: ServerResponse, number: number): boolean {
    const missed = this.#log?.after(number);
    if (missed === undefined) return false;
    beginEvents(response);
    this.#carrier?.destroy();
    this.#carriedBy(response);
    for (const { number: missedNumber, data } of missed) {
      sendEvent(response, { data, id: this.#eventId(missedNumber) });
    }
    if (this.#isOver) response.end();
    return true;
  }

  /**
   * "The server SHOULD immediately send an SSE event consisting of an event ID and an empty data
   * field in order to prime the client to reconnect".
   *
   * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server
   */
  prime(retryMs?: number): void {
    this.#write('', retryMs);
  }

  /** Ends the connection, and not the stream: the client is to come back for the rest. */
  pause(): void {
    this.#carrier?.end();
    this.#carrier = undefined;
  }

  send(message: object): void {
    this.#write(JSON.stringify(message));
    if (!isAnswer(message)) return;
    this.#isOver = true;
    this.#carrier?.end();
  }

  close(): void {
    this.#isOver = true;
    this.#carrier?.end();
  }

  #write(data: string, retryMs?: number): void {
    if (this.#isOver) return;
    const number = this.#log?.add(data) ?? 0;
    const event = { data, id: this.#eventId(number) };
    sendEvent(this.#carrier, retryMs === undefined ? event : { ...event, retryMs });
  }

  #carriedBy(response: ServerResponse): void {
    this.#carrier = response;
    response.once('close', () => {
      if (this.#carrier === response) this.#carrier = undefined;
    });
  }

  #eventId(number: number): string | undefined {
    return this.#log === undefined ? undefined : `${this.#name}:${number}`;
  }
}

function isAnswer(message: object): boolean {
  return 'result' in message || 'error' in message;
}
