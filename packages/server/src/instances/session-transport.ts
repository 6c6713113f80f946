import type {
  JSONRPCMessage,
  MessageExtraInfo,
  ScopeChallengeHandler,
  Transport,
  TransportSendOptions,
} from '@modelcontextprotocol/server';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The connection of a transport to its client. */
export interface SessionWire {
  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> | void;
  /** The transport is closed; called once. */
  closed(): void;
}

/**
 * After so many messages the server waits until others had their turn. A tool that tells its progress
 * without end would let nobody else run: where its reader keeps up, or is away, no message has to wait.
 */
const MESSAGES_A_TURN = 256;

/** The SDK's transport of one server instance. */
export class SessionTransport implements Transport {
  onclose: (() => void) | undefined;
  onerror: ((error: Error) => void) | undefined;
  onmessage: ((message: JSONRPCMessage, extra?: MessageExtraInfo) => void) | undefined;
  readonly sessionId: string | undefined;
  /** Which scopes a request needs; the SDK sets it where tools ask for some. */
  scopeChallenge: ScopeChallengeHandler | undefined;
  readonly #wire: SessionWire;
  #isClosed = false;
  #sent = 0;

  constructor(sessionId: string | undefined, wire: SessionWire) {
    this.sessionId = sessionId;
    this.#wire = wire;
  }

  /** Whether either side has closed it. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  async start(): Promise<void> {}

  setScopeChallengeResolver(resolver: ScopeChallengeHandler): void {
    this.scopeChallenge = resolver;
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (this.#isClosed) throw new Error('the session is closed');
    await this.#wire.send(message, options);
    if (++this.#sent % MESSAGES_A_TURN === 0) await nextTurn();
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
  receive(message: JSONRPCMessage, extra?: MessageExtraInfo): void {
    if (!this.#isClosed) this.onmessage?.(message, extra);
  }
}
