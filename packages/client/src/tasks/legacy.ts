import { setTimeout as delay } from 'node:timers/promises';
import type { Result } from '@modelcontextprotocol/client';
import { ServerError } from '../errors.js';
import { isObject } from '../untrusted/is-object.js';
import type { Ask, TaskEra, TaskLine } from './era.js';
import { isFinal, readSnapshot, type TaskState, type TaskStatus } from './snapshot.js';

/** How long the `tasks/result` that is open may take to answer when its task has ended, in milliseconds. */
const GRACE_MS = 1_000;

/**
 * A task of 2025-11-25. `tasks/get` says how it is, and `tasks/result` what came of it: that one stays
 * open until the end. What the task asks for comes on its stream, or any other, as requests of the server.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
 */
export class LegacyTask implements TaskEra {
  /** The `tasks/result` that is open: fulfilled with nothing when it was refused, or cut. */
  #open: Promise<Result | undefined> | undefined;
  /** In which status of the task the server has answered `tasks/result`: it does not keep it open. */
  #refusedIn: TaskStatus | undefined;

  /** A result of a tool has content, whatever else it has. */
  createdBy(result: Result): unknown {
    // Some servers make it in the form of the era after.
    const { task = result['resultType'] === 'task' ? result : undefined, content } = result;
    return isObject(task) && content === undefined ? stillOpen(task) : undefined;
  }

  /** What `notifications/tasks/status` says. */
  notified(params: unknown): unknown {
    return isObject(params) ? stillOpen(params) : undefined;
  }

  async state(taskId: string, ask: Ask): Promise<Record<string, unknown>> {
    return inModernForm(await ask({ method: 'tasks/get', params: { taskId } }));
  }

  async get(taskId: string, ask: Ask): Promise<unknown> {
    const said = await this.state(taskId, ask);
    const snapshot = readSnapshot(said, taskId);
    if (typeof snapshot === 'string' || !isFinal(snapshot.state.status)) return said;
    return { ...said, ...(await this.#outcome(snapshot.state, ask)) };
  }

  /** What is asked for is answered as a request of the server. */
  update(): Promise<unknown> {
    return Promise.resolve();
  }

  cancel(taskId: string, ask: Ask): Promise<unknown> {
    return ask({ method: 'tasks/cancel', params: { taskId } });
  }

  listen({ taskId, status }: TaskState, line: TaskLine): void {
    if (this.#open !== undefined) return;
    // What it asks for may come only there.
    const isWorth = status === 'input_required' && this.#refusedIn !== status;
    if (this.#refusedIn !== undefined && !isWorth) return;
    this.#open = this.#wait(taskId, status, line).finally(() => (this.#open = undefined));
  }

  async #wait(taskId: string, status: TaskStatus, line: TaskLine): Promise<Result | undefined> {
    try {
      const result = await line.hold({ method: 'tasks/result', params: { taskId } });
      // mcp-go answers for a task that was cancelled with a result that has nothing in it.
      if (result['content'] !== undefined) {
        line.take({ taskId, status: 'completed', result });
        return result;
      }
    } catch (error) {
      // The connection was lost: it is asked for again.
      if (!(error instanceof ServerError)) return undefined;
    }
    // Whether that is how the task has ended, or it goes on, `tasks/get` says.
    this.#refusedIn = status;
    line.askNow();
    return undefined;
  }

  /** "`tasks/result` returns exactly what the underlying request would have returned", errors included. */
  async #outcome({ taskId, status, statusMessage }: TaskState, ask: Ask): Promise<object> {
    // That it was cancelled says more than what its request would have been answered.
    if (status === 'cancelled') return {};
    try {
      const early = await this.#soon();
      const result = early ?? (await ask({ method: 'tasks/result', params: { taskId } }));
      return { status: 'completed', result };
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      const { number: code, data, serverMessage = '' } = error;
      const isSaid = statusMessage === undefined || serverMessage.includes(statusMessage);
      const message = isSaid ? serverMessage : `${statusMessage} (${serverMessage})`;
      return { status: 'failed', error: { code, message, data } };
    }
  }

  /** What comes on the `tasks/result` that is open, if that is soon. */
  async #soon(): Promise<Result | undefined> {
    if (this.#open === undefined) return undefined;
    const ended = new AbortController();
    const late = delay(GRACE_MS, undefined, { signal: ended.signal }).catch(() => undefined);
    try {
      return await Promise.race([this.#open, late]);
    } finally {
      ended.abort();
    }
  }
}

/** What a server of 2025-11-25 says of a task, under the names of 2026-07-28. */
function inModernForm(task: Record<string, unknown>): Record<string, unknown> {
  const { taskId, status, statusMessage, createdAt, lastUpdatedAt, ttl, pollInterval, _meta } =
    task;
  const times = { createdAt, lastUpdatedAt, ttlMs: ttl, pollIntervalMs: pollInterval };
  return { taskId, status, statusMessage, ...times, _meta };
}

/** Of a task that has ended the result is still to be asked for: at once. */
function stillOpen(task: Record<string, unknown>): Record<string, unknown> {
  const said = inModernForm(task);
  const snapshot = readSnapshot(said);
  if (typeof snapshot === 'string' || !isFinal(snapshot.state.status)) return said;
  return { ...said, status: 'working', statusMessage: undefined, pollIntervalMs: 0 };
}
