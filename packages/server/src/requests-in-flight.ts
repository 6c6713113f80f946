import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';

/** The longest id that is kept: a client chooses it, and it is held until the request is answered. */
const MAX_ID_CHARS = 256;

/** What is wrong with a request that is not to reach the server. */
export type Excess = 'too-many' | 'long-id' | 'repeated-id';

/** The requests of one client that its server has not answered. */
export class RequestsInFlight {
  readonly #max: number;
  readonly #ids = new Set<RequestId>();
  #others = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** To be shown everything that the client sends: what is wrong with it, if anything is. */
  noteIncoming(message: JSONRPCMessage): Excess | undefined {
    if (!('method' in message)) return undefined;
    if (!('id' in message)) {
      // A server does not answer what its client has cancelled.
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

  /** To be shown everything that the server sends. */
  noteOutgoing(message: JSONRPCMessage): void {
    if ('method' in message || message.id === undefined) return;
    this.#ids.delete(message.id);
  }

  /** Counts a call that has no id: whether it may run, and then {@link end} is to be called. */
  begin(): boolean {
    if (this.#isFull()) return false;
    this.#others++;
    return true;
  }

  /** A call that has begun is over. */
  end(): void {
    this.#others--;
  }

  #isFull(): boolean {
    return this.#ids.size + this.#others >= this.#max;
  }
}
