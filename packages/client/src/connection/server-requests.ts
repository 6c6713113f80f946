import type {
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  RequestId,
} from '@modelcontextprotocol/client';
import { cancellationOf } from './wire.js';

/** How many may be open: each takes memory here and in the program. */
const MAX_OPEN = 1000;

/**
 * Requests of the server that are not answered yet. The program sees ids of our own, never used
 * twice: so an answer for a session that is gone cannot reach the next session, where the same id is
 * another request.
 */
export class ServerRequests {
  readonly #theirs = new Map<RequestId, RequestId>();
  readonly #ours = new Map<RequestId, RequestId>();
  readonly #ids: { last: number };

  constructor(ids: { last: number } = { last: 0 }) {
    this.#ids = ids;
  }

  /** Whether the server must wait for answers before it makes more requests. */
  get isFull(): boolean {
    return this.#theirs.size >= MAX_OPEN;
  }

  /** Returns the request under our id. */
  enter(request: JSONRPCRequest): JSONRPCRequest {
    const ours = `server-${++this.#ids.last}`;
    this.#theirs.set(ours, request.id);
    this.#ours.set(request.id, ours);
    return { ...request, id: ours };
  }

  /** Returns the answer under the server's id; `undefined` if its session is gone. */
  answer<Answer extends JSONRPCMessage & { id: RequestId }>(answer: Answer): Answer | undefined {
    const theirs = this.#theirs.get(answer.id);
    if (theirs === undefined) return undefined;
    this.#theirs.delete(answer.id);
    this.#ours.delete(theirs);
    return { ...answer, id: theirs };
  }

  /** Returns the server's cancellation of one of its requests under our id. */
  cancelled(notification: JSONRPCNotification): JSONRPCNotification | undefined {
    const theirs = notification.params?.['requestId'] as RequestId;
    const ours = this.#ours.get(theirs);
    if (ours === undefined) return undefined;
    this.#ours.delete(theirs);
    this.#theirs.delete(ours);
    return cancellationOf(ours, notification.params?.['reason']);
  }

  /** Another session begins while this one drains. Returns the requests of this one, which stay open. */
  detach(): ServerRequests {
    const detached = new ServerRequests(this.#ids);
    for (const [ours, theirs] of this.#theirs) {
      detached.#theirs.set(ours, theirs);
      detached.#ours.set(theirs, ours);
    }
    this.#theirs.clear();
    this.#ours.clear();
    return detached;
  }

  /** The session is gone: returns cancellations of all requests that are open. */
  abandon(): JSONRPCNotification[] {
    const open = [...this.#theirs.keys()];
    this.#theirs.clear();
    this.#ours.clear();
    return open.map((id) => cancellationOf(id, 'the session ended'));
  }
}
