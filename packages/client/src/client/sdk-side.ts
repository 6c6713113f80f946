import type { Client, JSONRPCMessage } from '@modelcontextprotocol/client';
import type { ReconnectingTransport } from '../connection/transport.js';
import { ConnectError } from '../errors.js';
import { Attachment } from './attachment.js';
import { NEVER_MS } from './sdk-client.js';

/** What an {@link SdkSide} is made with. */
export interface SdkSideOptions {
  /** Makes a `Client`. */
  create: () => Client;
  /** How long a `Client` may take between an answer and its next request of the handshake, in milliseconds. */
  stepMs: number;
  /** Called with every message for the `Client`, before the `Client` gets it. */
  onMessage: (message: JSONRPCMessage) => void;
  /** Called when a `Client` could not replace the one before. */
  onFailure: (error: unknown) => void;
}

/**
 * The SDK's `Client` on top of a connection. A `Client` has one era for good: when the server returns
 * in another era, a new `Client` replaces it.
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

  /** The current one. */
  get client(): Client {
    return this.#client;
  }

  /** Fulfilled when its handshake has succeeded. */
  get attached(): Promise<unknown> {
    return this.#attached;
  }

  /** Makes the handshake over a new connection. */
  attach(connection: ReconnectingTransport): Promise<unknown> {
    this.#attached = this.#connect(connection);
    return this.#attached;
  }

  /** Replaces the current `Client` by a new one. */
  attachAnew(connection: ReconnectingTransport): void {
    this.#client = this.#options.create();
    this.#attachment?.detach();
    this.#attached = connection
      .reattach(() => this.#connect(connection))
      .catch((error: unknown) => {
        if (!connection.isClosing) this.#options.onFailure(error);
      });
  }

  /** The connection limits how long the server takes to answer; this limits how long the `Client` does. */
  async #connect(connection: ReconnectingTransport): Promise<void> {
    const { onMessage, stepMs } = this.#options;
    const attachment = new Attachment(connection);
    this.#attachment = attachment;
    // The `Client` calls a handler that is there before its own.
    attachment.onmessage = onMessage;
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<never>((_resolve, reject) => {
      attachment.onWaiting = (isWaiting) => {
        clearTimeout(timer);
        if (!isWaiting) timer = setTimeout(() => reject(handshakeUnused(stepMs)), stepMs);
      };
    });
    try {
      await Promise.race([this.#client.connect(attachment, { timeout: NEVER_MS }), stuck]);
    } finally {
      attachment.onWaiting = undefined;
      clearTimeout(timer);
    }
  }
}

/** The server has answered, and the SDK's `Client` did nothing with it. */
function handshakeUnused(stepMs: number): ConnectError {
  return new ConnectError(
    `the handshake was answered, but the SDK's Client did not continue it within ${stepMs} ms`,
    { code: 'connect-timeout', tried: [] },
  );
}
