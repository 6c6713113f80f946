import { AsyncResource } from 'node:async_hooks';
import type { JSONRPCMessage, Progress, Result } from '@modelcontextprotocol/client';
import type { RequestContext } from '../connection/request-context.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import { closedError } from '../connection/failures.js';
import { LongwireError, noteTask, type Certainty } from '../errors.js';
import { modernTasks, type Ask, type TaskEra } from './era.js';
import { TaskFollower, type TaskInput, type TaskWaiter } from './follower.js';
import { LegacyTask } from './legacy.js';
import { readSnapshot, type TaskState } from './snapshot.js';

/** A call, or whoever else waits for a task within time limits. */
export interface TimedWaiter extends TaskWaiter {
  /** The async context of the call, if functions of the program run for it. */
  readonly scope?: AsyncResource | undefined;
  /** Rejected when it ends earlier. */
  before<T>(preparation: Promise<T>): Promise<T>;
}

/** A call that the server may make a task of. */
export interface CallWithTask extends TimedWaiter {
  /** What is certain about it now. */
  certainty: Certainty;
  /** The server has made a task of it. */
  becameTask(taskId: string): void;
  /** Whether it ended early although its client is not closed, and its server not away. */
  readonly isUnwanted: boolean;
}

/** What {@link Tasks} are made with. */
export interface TasksOptions {
  /** Asks the program for what a task asks for. */
  answer: (input: TaskInput) => Promise<unknown>;
  /** Given what fails and belongs to no call. */
  report: (error: unknown) => void;
}

/** How long `close()` waits for the cancellations that are on their way, in milliseconds. */
const FLUSH_MS = 1_000;

/** The tasks that are followed for the calls of a client. */
export class Tasks {
  readonly #options: TasksOptions;
  /** By the id of the task. Who has other headers of its own asks apart: they may be other credentials. */
  readonly #followers = new Map<string, Set<TaskFollower>>();
  /** Cancellations on their way. */
  readonly #cancelling = new Set<Promise<void>>();

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  /**
   * Follows the task that the result of a call says that it has become to its end, and gives its result;
   * `undefined` if it is no task. When the call ends before, the task is cancelled.
   *
   * @throws LongwireError
   */
  followCall(
    call: CallWithTask,
    result: Result,
    connection: ReconnectingTransport,
  ): Promise<Result> | undefined {
    const created = eraOf(connection).createdBy(result);
    return created === undefined ? undefined : this.#follow(call, created, connection);
  }

  /**
   * Asks how a task is.
   *
   * @throws LongwireError
   */
  async state(
    taskId: string,
    context: RequestContext,
    connection: ReconnectingTransport,
  ): Promise<TaskState> {
    const said = await eraOf(connection).state(taskId, askWith(connection, context));
    const snapshot = readSnapshot(said, taskId);
    if (typeof snapshot !== 'string') return snapshot.state;
    const summary = `what the server says of the task ${taskId} breaks the protocol: ${snapshot}`;
    throw new LongwireError(summary, { code: 'protocol', certainty: 'answered', taskId });
  }

  /**
   * Cancels a task, whoever made it.
   *
   * @throws LongwireError
   */
  async cancel(
    taskId: string,
    context: RequestContext,
    connection: ReconnectingTransport,
  ): Promise<void> {
    context.idempotent = true;
    await eraOf(connection).cancel(taskId, askWith(connection, context));
    for (const follower of this.#followers.get(taskId) ?? []) follower.askNow();
  }

  async #follow(
    call: CallWithTask,
    created: unknown,
    connection: ReconnectingTransport,
  ): Promise<Result> {
    const snapshot = readSnapshot(created);
    if (typeof snapshot === 'string') {
      const summary = `the server made a task of ${call.what} that cannot be followed: ${snapshot}`;
      throw new LongwireError(summary, { code: 'protocol', certainty: 'outcome-unknown' });
    }
    const { taskId } = snapshot.state;
    call.becameTask(taskId);
    const follower = this.#followerOf(taskId, connection, call, call.latestProgress);
    const { ended, leave } = follower.join(call);
    follower.take(created);
    try {
      const result = await call.before(ended);
      call.certainty = 'answered';
      return result;
    } catch (error) {
      noteTask(error, taskId);
      throw error;
    } finally {
      if (leave() && call.isUnwanted) this.#cancel(follower);
    }
  }

  /** Waits for the end of a task, whoever made it. It goes on when the waiter leaves. */
  async wait(
    taskId: string,
    waiter: TimedWaiter,
    connection: ReconnectingTransport,
  ): Promise<Result> {
    const { ended, leave } = this.#followerOf(taskId, connection, waiter).join(waiter);
    try {
      return await waiter.before(ended);
    } finally {
      leave();
    }
  }

  /** Takes what a server says of tasks by itself. */
  hear(message: JSONRPCMessage): void {
    if (this.#followers.size === 0 || !('method' in message)) return;
    const { method, params } = message;
    const isWhole = method === 'notifications/tasks';
    if (!isWhole && method !== 'notifications/tasks/status') return;
    const said = isWhole ? params : anyLegacyTask.notified(params);
    for (const follower of this.#followers.get(String(params?.['taskId'])) ?? []) {
      follower.take(said);
    }
  }

  /**
   * Ends all waiting; tasks go on, on their servers. Fulfilled when the cancellations that are on their way
   * have left; `undefined` if there are none.
   */
  close(): Promise<void> | undefined {
    for (const [taskId, followers] of this.#followers) {
      const closed = (): LongwireError => {
        const error = closedError('outcome-unknown');
        noteTask(error, taskId);
        return error;
      };
      for (const follower of followers) follower.fail(closed);
    }
    return this.#cancelling.size === 0 ? undefined : this.#flush();
  }

  async #flush(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS);
    });
    await Promise.race([Promise.all(this.#cancelling), late]);
    clearTimeout(timer);
  }

  #cancel(follower: TaskFollower): void {
    const cancelled = follower.cancel().finally(() => this.#cancelling.delete(cancelled));
    this.#cancelling.add(cancelled);
  }

  #followerOf(
    taskId: string,
    connection: ReconnectingTransport,
    { scope = new AsyncResource('longwire.task'), ownHeaders: headers }: TimedWaiter,
    progress?: Progress,
  ): TaskFollower {
    const followers = this.#followers.get(taskId) ?? new Set();
    for (const known of followers) if (known.asksWith(headers)) return known;
    const { answer, report } = this.#options;
    const legacy = new LegacyTask();
    const follower = new TaskFollower({
      taskId,
      connection,
      era: () => eraOf(connection, legacy),
      headers,
      scope,
      progress,
      answer,
      report,
      onOver: () => {
        followers.delete(follower);
        if (followers.size === 0 && this.#followers.get(taskId) === followers) {
          this.#followers.delete(taskId);
        }
      },
    });
    this.#followers.set(taskId, followers.add(follower));
    return follower;
  }
}

/** How tasks are asked for on a connection. */
function eraOf({ era }: ReconnectingTransport, legacy: LegacyTask = anyLegacyTask): TaskEra {
  return era === 'legacy' ? legacy : modernTasks;
}

/** Of a task that is not followed, nothing is held open. */
const anyLegacyTask = new LegacyTask();

function askWith(connection: ReconnectingTransport, context: RequestContext): Ask {
  return (request) => connection.request(request, context);
}
