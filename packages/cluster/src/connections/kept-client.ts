import { endClient, type Client } from './open-client.js';

/** What is told of a client that is kept. */
export interface KeptHandlers {
  /** It is ready, for the first time or again. */
  ready(client: Client): void;
  /** It was ready, and is not any more. */
  lost?(): void;
  /** An error of the connection. */
  failed?(error: Error): void;
}

const RETRY_MS = { first: 20, most: 500 };

/** Keeps one client: makes a new one whenever it ends. */
export class KeptClient {
  readonly #open: () => Client;
  readonly #handlers: KeptHandlers;
  #client: Client | undefined;
  #wasReady = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(open: () => Client, handlers: KeptHandlers) {
    this.#open = open;
    this.#handlers = handlers;
    this.#make();
  }

  /** The client, while it is ready. */
  get ready(): Client | undefined {
    return this.#client?.status === 'ready' ? this.#client : undefined;
  }

  /** Makes a new client in the place of this one, if that was not done yet. */
  renew(client: Client): void {
    if (client === this.#client) endClient(client);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#retry);
    if (this.#client !== undefined) endClient(this.#client);
  }

  #make(): void {
    const client = this.#open();
    this.#client = client;
    client.on('ready', () => {
      this.#failures = 0;
      this.#wasReady = true;
      this.#handlers.ready(client);
    });
    client.on('error', (error: Error) => this.#handlers.failed?.(error));
    client.on('close', () => this.#lose());
    client.on('end', () => {
      this.#lose();
      if (this.#isClosed) return;
      const delayMs = Math.min(RETRY_MS.first * 2 ** this.#failures++, RETRY_MS.most);
      this.#retry = setTimeout(() => this.#make(), delayMs * (0.5 + Math.random()));
    });
  }

  #lose(): void {
    if (!this.#wasReady) return;
    this.#wasReady = false;
    this.#handlers.lost?.();
  }
}
