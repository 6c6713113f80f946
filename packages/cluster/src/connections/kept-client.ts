import { endClient, type Client } from './open-client.js';

/** What is told of a client that is kept. */
export interface KeptHandlers {
  /** It is ready, for the first time or again. */
  ready(client: Client): void;
  /** It was ready, and is not any more. */
  lost?(): void;
  /** An error of the connection; or that it was closed, where nothing says why. */
  failed?(error: Error): void;
}

const CLOSED = 'Redis closed the connection';
/** It says why, in a reply to nothing, and where it is not read before the end comes nobody is told. */
const NOT_TAKEN = 'Redis closed a new connection: it may have too many clients (maxclients)';
const RETRY_MS = { first: 20, most: 500 };

/** Keeps one client: makes a new one whenever it ends. */
export class KeptClient {
  readonly #open: () => Client;
  readonly #handlers: KeptHandlers;
  #client: Client | undefined;
  #wasReady = false;
  /** Whether it is known why the client ends. */
  #isExplained = false;
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
    if (client !== this.#client) return;
    this.#isExplained = true;
    endClient(client);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isExplained = true;
    clearTimeout(this.#retry);
    if (this.#client !== undefined) endClient(this.#client);
  }

  #make(): void {
    const client = this.#open();
    this.#client = client;
    this.#isExplained = false;
    client.on('ready', () => {
      this.#isExplained = false;
      this.#failures = 0;
      this.#wasReady = true;
      this.#handlers.ready(client);
    });
    client.on('error', (error: Error) => {
      this.#isExplained = true;
      this.#handlers.failed?.(error);
    });
    client.on('close', () => {
      if (!this.#isExplained) {
        this.#handlers.failed?.(new Error(this.#wasReady ? CLOSED : NOT_TAKEN));
      }
      this.#lose();
    });
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
