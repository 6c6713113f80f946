import type { Client, JSONRPCMessage } from '@modelcontextprotocol/client';
import type { Connection } from '../connection/connection.js';
import { ConnectError } from '../errors.js';
import { Attachment } from './attachment.js';
import { NEVER_MS } from './sdk-client.js';

/** What the SDK's side is made with. */
export interface SdkSideOptions {
  /** Makes a `Client`. */
  create: () => Client;
  /** How long a `Client` may take over what it was answered while it shakes hands, in milliseconds. */
  turnMs: number;
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

  /** The time limits of the connection end with the server's answers; here is the one after that. */
  async #connect(connection: Connection): Promise<void> {
    const { onMessage, turnMs } = this.#options;
    const attachment = new Attachment(connection);
    this.#attachment = attachment;
    // The `Client` calls what it finds there before it handles a message itself.
    attachment.onmessage = onMessage;
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<never>((_resolve, reject) => {
      attachment.onTurn = (isOfClient) => {
        clearTimeout(timer);
        if (isOfClient) timer = setTimeout(() => reject(handshakeUnused(turnMs)), turnMs);
      };
    });
    try {
      await Promise.race([this.#client.connect(attachment, { timeout: NEVER_MS }), stuck]);
    } finally {
      attachment.onTurn = undefined;
      clearTimeout(timer);
    }
  }
}

/** The server has answered, and the SDK's `Client` did nothing with it. */
function handshakeUnused(turnMs: number): ConnectError {
  return new ConnectError(
    `the handshake was answered, but the SDK's Client did not go on with it for ${turnMs} ms`,
    { code: 'connect-timeout', tried: [] },
  );
}
