import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';

/** The longest id: the client chooses it, and it is kept until the request is answered. */
const MAX_ID_CHARS = 256;

/** Why a request must not reach the server. */
export type Excess = 'too-many' | 'long-id' | 'repeated-id';

/** The requests of one client that its server has not answered. */
export class RequestsInFlight {
  readonly #max: number;
  readonly #ids = new Set<RequestId>();
  #others = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Called with every message of the client; returns what is wrong with it, if anything. */
  noteIncoming(message: JSONRPCMessage): Excess | undefined {
    if (!('method' in message)) return undefined;
    if (!('id' in message)) {
      // A server does not answer a cancelled request.
      if (message.method === 'notifications/cancelled') {
        this.#ids.delete(message.params?.['requestId'] as RequestId);
      }
      return undefined;
    }
    if (String(message.id).length > MAX_ID_CHARS) return 'long-id';
    if (this.#ids.has(message.id)) return 'repeated-id';
    if (this.#isFull()) return 'too-many';
    this.#ids.add(message.id);
    return undefined;
  }

  /** Called with every message of the server. */
  noteOutgoing(message: JSONRPCMessage): void {
    if ('method' in message || message.id === undefined) return;
    this.#ids.delete(message.id);
  }

  /** Counts a call without an id, and returns whether it may run; if so, call {@link end} after it. */
  begin(): boolean {
    if (this.#isFull()) return false;
    this.#others++;
    return true;
  }

  /** A call that began has ended. */
  end(): void {
    this.#others--;
  }

  #isFull(): boolean {
    return this.#ids.size + this.#others >= this.#max;
  }
}
