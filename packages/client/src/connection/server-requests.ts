import {
  RELATED_TASK_META_KEY,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/client';
import { isObject } from '../untrusted/is-object.js';
import { cancellationOf } from './wire.js';

/** How many may be open: each takes memory here and in the program. */
const MAX_OPEN = 1000;

/** A request of the server that waits for its answer. */
interface OpenRequest {
  /** As the server named it. */
  id: RequestId;
  /** The task that it belongs to, as the server names it. */
  task: unknown;
}

/**
 * Requests of the server that are not answered yet. The program sees ids of our own, never used
 * twice: so an answer for a session that is gone cannot reach the next session, where the same id is
 * another request.
 */
export class ServerRequests {
  readonly #theirs = new Map<RequestId, OpenRequest>();
  readonly #ours = new Map<RequestId, RequestId>();
  readonly #ids: { last: number };

  constructor(ids: { last: number } = { last: 0 }) {
    this.#ids = ids;
  }

  /** Whether the server must wait for answers before it makes more requests. */
  get isFull(): boolean {
    return this.#theirs.size >= MAX_OPEN;
  }

  /**
   * Returns the request under our id; `undefined` if it came before, and is open: what a task asks may
   * come on the stream of `tasks/result`, and on any other.
   */
  enter(request: JSONRPCRequest): JSONRPCRequest | undefined {
    const { id, params } = request;
    const task = params?._meta?.[RELATED_TASK_META_KEY];
    const before = this.#ours.get(id);
    if (before !== undefined && isSameTask(task, this.#theirs.get(before)?.task)) return undefined;
    const ours = `server-${++this.#ids.last}`;
    this.#theirs.set(ours, { id, task });
    this.#ours.set(id, ours);
    return { ...request, id: ours };
  }

  /** Returns the answer under the server's id; `undefined` if its session is gone. */
  answer<Answer extends JSONRPCMessage & { id: RequestId }>(answer: Answer): Answer | undefined {
    const theirs = this.#theirs.get(answer.id);
    if (theirs === undefined) return undefined;
    const { id, task } = theirs;
    this.#theirs.delete(answer.id);
    this.#ours.delete(id);
    return { ...(task === undefined ? answer : ofTask(answer, task)), id };
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
      detached.#ours.set(theirs.id, ours);
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

function isSameTask(task: unknown, other: unknown): boolean {
  return isObject(task) && isObject(other) && task['taskId'] === other['taskId'];
}

/**
 * "All requests, notifications, and responses related to a task MUST include the
 * io.modelcontextprotocol/related-task key in their _meta field". An error has none.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
 */
function ofTask<Answer extends JSONRPCMessage>(answer: Answer, task: unknown): Answer {
  if (!('result' in answer)) return answer;
  const _meta = { ...answer.result._meta, [RELATED_TASK_META_KEY]: task };
  return { ...answer, result: { ...answer.result, _meta } };
}
