import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';

/**
 * Tells the requests of one owner's server from those of others: servers count from 0, and an answer to
 * the server of an owner that died must never reach the next one's. The first owner's are as they are.
 */
export class OwnerIds {
  readonly #prefix: string;

  /** @param fence counts the owners of the session, from 1. */
  constructor(fence: number) {
    this.#prefix = fence > 1 ? `longwire:${fence}:` : '';
  }

  /** A message of the server, as its client gets it. */
  outgoing(message: JSONRPCMessage): JSONRPCMessage {
    if (this.#prefix === '' || !('method' in message)) return message;
    if (message.method === 'notifications/cancelled') {
      const requestId = (message.params as { requestId?: RequestId } | undefined)?.requestId;
      if (requestId === undefined) return message;
      return { ...message, params: { ...message.params, requestId: this.#marked(requestId) } };
    }
    return 'id' in message ? { ...message, id: this.#marked(message.id) } : message;
  }

  /** An answer of the client, as the server gets it; `undefined` if another owner's server asked. */
  incoming<Answer extends { readonly id?: RequestId | undefined }>(
    answer: Answer,
  ): Answer | undefined {
    if (this.#prefix === '') return answer;
    const id = this.#unmarked(answer.id);
    return id === undefined ? undefined : { ...answer, id };
  }

  /** An id with its kind, as a number and its digits are not the same. */
  #marked(id: RequestId): string {
    return `${this.#prefix}${JSON.stringify(id)}`;
  }

  #unmarked(id: RequestId | undefined): RequestId | undefined {
    if (typeof id !== 'string' || !id.startsWith(this.#prefix)) return undefined;
    try {
      return JSON.parse(id.slice(this.#prefix.length)) as RequestId;
    } catch {
      return undefined;
    }
  }
}
