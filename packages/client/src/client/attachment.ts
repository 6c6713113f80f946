import type { JSONRPCMessage, Transport, TransportSendOptions } from '@modelcontextprotocol/client';
import type { Connection } from '../connection/connection.js';
import { closedError } from '../connection/failures.js';

/**
 * One SDK `Client`'s way to the connection, until another `Client` takes its place: two of them
 * would use the same ids for different requests.
 */
export class Attachment implements Transport {
  readonly #connection: Connection;
  #isDetached = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get onclose(): (() => void) | undefined {
    return this.#connection.onclose;
  }

  set onclose(onclose: (() => void) | undefined) {
    this.#connection.onclose = onclose;
  }

  get onerror(): ((error: Error) => void) | undefined {
    return this.#connection.onerror;
  }

  set onerror(onerror: ((error: Error) => void) | undefined) {
    this.#connection.onerror = onerror;
  }

  get onmessage(): Connection['onmessage'] {
    return this.#connection.onmessage;
  }

  set onmessage(onmessage: Connection['onmessage']) {
    this.#connection.onmessage = onmessage;
  }

  start(): Promise<void> {
    return this.#connection.start();
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (this.#isDetached) return Promise.reject(closedError('not-sent'));
    return this.#connection.send(message, options);
  }

  async close(): Promise<void> {
    if (!this.#isDetached) await this.#connection.close();
  }

  /** From now on nothing is sent by this way. */
  detach(): void {
    this.#isDetached = true;
  }
}
