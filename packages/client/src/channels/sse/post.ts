import type { Buffer } from 'node:buffer';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import type { LongwireError } from '../../errors.js';
import type { HttpClient } from '../../http/client.js';
import type { HttpRequest } from '../../http/request.js';
import type { ResponseHandler } from '../../http/request-options.js';
import type { SendOptions } from '../../http/send-options.js';
import type { TransportName } from '../../transport-name.js';
import { toJson } from '../../untrusted/exact-json.js';

/** How long a POST may stay unanswered once its request has been answered or cancelled. */
const LINGER_MS = 5000;

const POST_HEADERS = { 'content-type': 'application/json' };

/** What one POST is sent with. */
export interface PostOptions {
  message: JSONRPCMessage;
  endpoint: URL;
  transport: TransportName | undefined;
  /** The call for which it is sent. Default: no call. */
  caller?: SendOptions | undefined;
  onSent?: (() => void) | undefined;
  /** The server accepted it, with any 2xx. */
  onAccepted?: () => void;
  onError: (error: LongwireError) => void;
  /** Receives the body of the response, which means nothing in HTTP+SSE. Default: nobody reads it. */
  onData?: (chunk: Buffer) => void;
}

/** The POST of one message. The answer to it comes on the stream. */
export class Post implements ResponseHandler {
  readonly onData: PostOptions['onData'];
  readonly #options: PostOptions;
  #request: HttpRequest | undefined;
  #isOnWire = false;
  #linger: NodeJS.Timeout | undefined;
  readonly #onSettled: (() => void)[] = [];

  constructor(options: PostOptions) {
    this.#options = options;
    this.onData = options.onData;
  }

  send(http: HttpClient): void {
    const { message, endpoint, transport, caller } = this.#options;
    this.#request = http.send({
      method: 'POST',
      url: endpoint,
      transport,
      headers: POST_HEADERS,
      body: toJson(message),
      message,
      caller,
      handler: this,
    });
  }

  /** Whether the server may know of it. */
  get isOnWire(): boolean {
    return this.#isOnWire;
  }

  cancel(): void {
    this.#request?.abort();
  }

  /** Its request is answered: nobody needs the POST any more, and it would keep its socket busy. */
  requestAnswered(): void {
    this.#linger ??= setTimeout(() => this.cancel(), LINGER_MS).unref();
  }

  /** Fulfilled when the POST is answered, or has failed. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled.push(resolve);
    });
  }

  onSent(): void {
    this.#isOnWire = true;
    this.#options.onSent?.();
  }

  onHead(): void {
    this.#settle();
    this.#options.onAccepted?.();
  }

  onError(error: LongwireError): void {
    this.#settle();
    this.#options.onError(error);
  }

  #settle(): void {
    clearTimeout(this.#linger);
    for (const settled of this.#onSettled) settled();
  }
}
