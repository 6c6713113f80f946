import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';

/** The connection of a transport to its client. */
export interface SessionWire {
  /** The server is connected; no message may reach it earlier. */
  open(): void;
  send(message: JSONRPCMessage): Promise<void>;
  /** The transport is closed; called once. */
  closed(): void;
}

/** The SDK's transport of one session. */
export class SessionTransport implements Transport {
  onclose: (() => void) | undefined;
  onerror: ((error: Error) => void) | undefined;
  onmessage: ((message: JSONRPCMessage) => void) | undefined;
  readonly sessionId: string;
  readonly #wire: SessionWire;
  #isClosed = false;

  constructor(sessionId: string, wire: SessionWire) {
    this.sessionId = sessionId;
    this.#wire = wire;
  }

  /** Whether either side has closed it. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  async start(): Promise<void> {
    this.#wire.open();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#isClosed) throw new Error('the session is closed');
    await this.#wire.send(message);
  }

  /** Closes the transport, which aborts every handler of the server that is still running. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.onclose?.();
    } finally {
      this.#wire.closed();
    }
  }

  /** Hands a message of the client to the server. */
  receive(message: JSONRPCMessage): void {
    if (!this.#isClosed) this.onmessage?.(message);
  }
}
