import type { LongwireError } from '../errors.js';
import type { Attempts, HttpRequest } from './attempts.js';
import type { Settler } from './exchange.js';
import type { Http } from './http.js';

/** How long a POST may stay unanswered once its request has been answered or cancelled. */
const LINGER_MS = 5000;

/** What a POST tells of itself. */
export interface PostingOptions {
  started: (() => void) | undefined;
  answered: () => void;
  failed: (error: LongwireError) => void;
}

/** One POST whose real answer comes elsewhere. */
export class Posting implements Settler {
  readonly #options: PostingOptions;
  #attempts: Attempts | undefined;
  #isOnWire = false;
  #linger: NodeJS.Timeout | undefined;
  readonly #onSettled: (() => void)[] = [];

  constructor(options: PostingOptions) {
    this.#options = options;
  }

  /** Whether the server may know of it. */
  get isOnWire(): boolean {
    return this.#isOnWire;
  }

  send(http: Http, request: HttpRequest): void {
    this.#attempts = http.send(request, this);
  }

  giveUp(): void {
    this.#attempts?.abort();
  }

  /** Its request is answered, so nobody needs the POST any more; it would hold its socket. */
  requestAnswered(): void {
    this.#linger ??= setTimeout(() => this.giveUp(), LINGER_MS).unref();
  }

  /** Fulfilled when the POST is answered, or has failed. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled.push(resolve);
    });
  }

  started(): void {
    this.#isOnWire = true;
    this.#options.started?.();
  }

  answered(): void {
    this.#settled();
    this.#options.answered();
  }

  failed(error: LongwireError): void {
    this.#settled();
    this.#options.failed(error);
  }

  #settled(): void {
    clearTimeout(this.#linger);
    for (const settled of this.#onSettled) settled();
  }
}
