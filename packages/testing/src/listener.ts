import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** The address of the proxy. */
export const HOST = '127.0.0.1';
/** The delay before a port that is taken is tried again. */
const PORT_TAKEN_MS = 10;

/** A port of 127.0.0.1 that can be closed to new connections, and opened again. */
export class Listener {
  readonly #onConnection: (socket: Socket) => void;
  #server: Server | undefined;
  #port = 0;
  /** The latest `open`: they run one after the other. */
  #opening: Promise<void> = Promise.resolve();
  #wanted = false;

  constructor(onConnection: (socket: Socket) => void) {
    this.#onConnection = onConnection;
  }

  /** The port, once it was opened for the first time. */
  get port(): number {
    return this.#port;
  }

  /** Whether new connections are accepted. */
  get isOpen(): boolean {
    return this.#server !== undefined;
  }

  /** Accepts connections, from the second time on at the same port. */
  open(): Promise<void> {
    this.#wanted = true;
    this.#opening = this.#opened().then(() => this.#listen());
    return this.#opening;
  }

  /** Refuses connections from now on; those that were accepted stay. */
  shut(): void {
    this.#wanted = false;
    this.#server?.close();
    this.#server = undefined;
  }

  /** Refuses connections; fulfilled when no `open` is running. */
  async close(): Promise<void> {
    this.shut();
    await this.#opened();
  }

  /** Its caller has got the error if it failed. */
  #opened(): Promise<void> {
    return this.#opening.catch(() => {});
  }

  async #listen(): Promise<void> {
    while (this.#wanted && this.#server === undefined) {
      // A new server each time: one that was closed waits for its connections to end.
      const server = createServer({ allowHalfOpen: true, noDelay: true }, this.#onConnection);
      try {
        server.listen(this.#port, HOST);
        await once(server, 'listening');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || this.#port === 0) throw error;
        await delay(PORT_TAKEN_MS);
        continue;
      }
      if (!this.#wanted) {
        server.close();
        return;
      }
      this.#server = server;
      this.#port = (server.address() as AddressInfo).port;
    }
  }
}
