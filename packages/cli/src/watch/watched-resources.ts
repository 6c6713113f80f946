import type { LongwireClient, OperationOptions, ReadResourceResult } from '@longwire/client';

/** How many resources may wait to be read: a server names those below a watched one itself. */
const maxWaiting = 100;

/** What is told of a watched resource. */
export interface ResourceHandlers {
  onRead: (uri: string, result: ReadResourceResult) => void;
  onFailure: (uri: string, error: unknown) => void;
}

/**
 * Reads resources when the server says that they changed, and when the connection is back. One is read at
 * a time, and changes that come meanwhile are one more read.
 */
export class WatchedResources {
  readonly #client: LongwireClient;
  readonly #uris: readonly string[];
  readonly #limits: OperationOptions;
  readonly #handlers: ResourceHandlers;
  readonly #waiting = new Set<string>();
  #isReading = false;

  constructor(
    client: LongwireClient,
    uris: readonly string[],
    options: { limits: OperationOptions } & ResourceHandlers,
  ) {
    const { limits, ...handlers } = options;
    this.#client = client;
    this.#uris = uris;
    this.#limits = limits;
    this.#handlers = handlers;
  }

  /** Subscribes to all, reads each for the first time, and goes on until the client is closed. */
  async start(): Promise<void> {
    for (const uri of this.#uris) await this.#client.subscribeResource(uri, this.#limits);
    this.#client.on('notification', ({ method, params }) => {
      const uri = params?.['uri'];
      if (method === 'notifications/resources/updated' && typeof uri === 'string')
        this.#changed(uri);
    });
    this.#client.on('state', ({ name }) => {
      if (name === 'ready') for (const uri of this.#uris) this.#changed(uri);
    });
    for (const uri of this.#uris) this.#changed(uri);
  }

  /** A server may also say that something below a watched resource changed. */
  #changed(uri: string): void {
    const isWatched = this.#uris.some(
      (watched) => uri === watched || uri.startsWith(watched.replace(/\/?$/, '/')),
    );
    if (!isWatched || this.#waiting.size >= maxWaiting) return;
    this.#waiting.add(uri);
    if (!this.#isReading) void this.#readAll();
  }

  async #readAll(): Promise<void> {
    this.#isReading = true;
    for (const uri of this.#waiting) {
      // What changes from now on is read again.
      this.#waiting.delete(uri);
      try {
        this.#handlers.onRead(uri, await this.#client.readResource(uri, this.#limits));
      } catch (error) {
        if (this.#limits.signal?.aborted === true) break;
        this.#handlers.onFailure(uri, error);
      }
    }
    this.#isReading = false;
  }
}
