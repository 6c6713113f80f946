import type { Client, JSONRPCMessage } from '@modelcontextprotocol/client';
import type { Connection } from '../connection/connection.js';
import { Attachment } from './attachment.js';
import { NEVER_MS } from './sdk-client.js';

/** What the SDK's side is made with. */
export interface SdkSideOptions {
  /** Makes a `Client`. */
  create: () => Client;
  /** Told of all that goes to the `Client`, before it has it. */
  onMessage: (message: JSONRPCMessage) => void;
  /** Told that a `Client` could not take the place of the one before. */
  onFailure: (error: unknown) => void;
}

/**
 * The SDK's `Client` on top of a connection, and the one after it: a `Client` is of one era for
 * good, and the server may come back in another.
 */
export class SdkSide {
  readonly #options: SdkSideOptions;
  #client: Client;
  #attached: Promise<unknown> = Promise.resolve();
  #attachment: Attachment | undefined;

  constructor(options: SdkSideOptions) {
    this.#options = options;
    this.#client = options.create();
  }

  /** The one of now. */
  get client(): Client {
    return this.#client;
  }

  /** Fulfilled when it has shaken hands. */
  get attached(): Promise<unknown> {
    return this.#attached;
  }

  /** Shakes hands over a new connection. */
  attach(connection: Connection): Promise<unknown> {
    this.#attached = this.#connect(connection);
    return this.#attached;
  }

  /** Puts another `Client` in the place of the one of now. */
  attachAnew(connection: Connection): void {
    this.#client = this.#options.create();
    this.#attachment?.detach();
    this.#attached = connection
      .reattach(() => this.#connect(connection))
      .catch((error: unknown) => {
        if (!connection.isClosing) this.#options.onFailure(error);
      });
  }

  #connect(connection: Connection): Promise<void> {
    this.#attachment = new Attachment(connection);
    // The `Client` calls what it finds there before it handles a message itself.
    this.#attachment.onmessage = this.#options.onMessage;
    return this.#client.connect(this.#attachment, { timeout: NEVER_MS });
  }
}
