import type {
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  RequestId,
} from '@modelcontextprotocol/client';
import { cancellationOf } from './wire.js';

/** So many may be open; each holds what it asks, and what the program makes of it. */
const MAX_OPEN = 1000;

/**
 * Requests that the server made and that are not answered yet. The program sees ids of our own,
 * never used twice, so that an answer made for a session that is gone cannot be taken for an
 * answer to a request of the next session with the same id.
 */
export class ServerRequests {
  readonly #theirs = new Map<RequestId, RequestId>();
  readonly #ours = new Map<RequestId, RequestId>();
  #next = 0;

  /** Whether the server has to wait for answers before it asks for more. */
  get isFull(): boolean {
    return this.#theirs.size >= MAX_OPEN;
  }

  /** The request under our id. */
  enter(request: JSONRPCRequest): JSONRPCRequest {
    const ours = `server-${++this.#next}`;
    this.#theirs.set(ours, request.id);
    this.#ours.set(request.id, ours);
    return { ...request, id: ours };
  }

  /** The answer under the server's id; `undefined` if its session is gone. */
  answer<Answer extends JSONRPCMessage & { id: RequestId }>(answer: Answer): Answer | undefined {
    const theirs = this.#theirs.get(answer.id);
    if (theirs === undefined) return undefined;
    this.#theirs.delete(answer.id);
    this.#ours.delete(theirs);
    return { ...answer, id: theirs };
  }

  /** The server's cancellation of one of its requests, under our id; nobody will answer it. */
  cancelled(notification: JSONRPCNotification): JSONRPCNotification | undefined {
    const theirs = notification.params?.['requestId'] as RequestId;
    const ours = this.#ours.get(theirs);
    if (ours === undefined) return undefined;
    this.#ours.delete(theirs);
    this.#theirs.delete(ours);
    return cancellationOf(ours, notification.params?.['reason']);
  }

  /** The session is gone: cancellations for all that is open, which nobody may answer any more. */
  abandon(): JSONRPCNotification[] {
    const open = [...this.#theirs.keys()];
    this.#theirs.clear();
    this.#ours.clear();
    return open.map((id) => cancellationOf(id, 'the session ended'));
  }
}
