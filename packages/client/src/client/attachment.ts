import type { JSONRPCMessage, Transport, TransportSendOptions } from '@modelcontextprotocol/client';
import type { ReconnectingTransport } from '../connection/transport.js';
import { closedError } from '../connection/failures.js';

/**
 * The transport of one SDK `Client`, until another `Client` replaces it: two of them would use the
 * same ids for different requests.
 */
export class Attachment implements Transport {
  readonly #connection: ReconnectingTransport;
  #isDetached = false;
  #unsettled = 0;
  /** Called when it changes whether the `Client` waits for an answer. */
  onWaiting: ((isWaiting: boolean) => void) | undefined;

  constructor(connection: ReconnectingTransport) {
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

  get onmessage(): ReconnectingTransport['onmessage'] {
    return this.#connection.onmessage;
  }

  set onmessage(onmessage: ReconnectingTransport['onmessage']) {
    this.#connection.onmessage = onmessage;
  }

  start(): Promise<void> {
    return this.#connection.start();
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (this.#isDetached) return Promise.reject(closedError('not-sent'));
    const sent = this.#connection.send(message, options);
    if (this.onWaiting === undefined) return sent;
    if (this.#unsettled++ === 0) this.onWaiting(true);
    return sent.finally(() => {
      if (--this.#unsettled === 0) this.onWaiting?.(false);
    });
  }

  async close(): Promise<void> {
    if (!this.#isDetached) await this.#connection.close();
  }

  /** From now on nothing is sent by it. */
  detach(): void {
    this.#isDetached = true;
  }
}
