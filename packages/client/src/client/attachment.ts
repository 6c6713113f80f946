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
  #unsettled = 0;
  /**
   * Told, each time that it changes, whether the `Client` has had an answer to all that it sent, so
   * that it is the `Client` which is waited for.
   */
  onTurn: ((isOfClient: boolean) => void) | undefined;

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
    const sent = this.#connection.send(message, options);
    if (this.onTurn === undefined) return sent;
    if (this.#unsettled++ === 0) this.onTurn(false);
    return sent.finally(() => {
      if (--this.#unsettled === 0) this.onTurn?.(true);
    });
  }

  async close(): Promise<void> {
    if (!this.#isDetached) await this.#connection.close();
  }

  /** From now on nothing is sent by this way. */
  detach(): void {
    this.#isDetached = true;
  }
}
