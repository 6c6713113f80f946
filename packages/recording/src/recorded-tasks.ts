import type { TaskLine } from './format.js';
import type { RecordableRequest } from './recordable.js';

/** What is said of a task: the line without its stamp. */
export type ToldTask = Omit<TaskLine, 'at'>;

interface OpenCall {
  readonly server: string;
  readonly request: RecordableRequest;
  /** What was told last. */
  told?: ToldTask;
}

/** Whether a request only asks how a task is, or for its result: it is part of the call that is the task. */
export function isPoll({ method }: RecordableRequest): boolean {
  return method === 'tasks/get' || method === 'tasks/result';
}

/** What servers say by themselves of tasks, in each of the eras that have them. */
export const TASK_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/tasks',
  'notifications/tasks/status',
]);

/** Tells which calls in flight are tasks, and how the tasks are: each once. */
export class RecordedTasks {
  readonly #tell: (task: ToldTask) => void;
  readonly #calls = new Map<number, OpenCall>();

  constructor(tell: (task: ToldTask) => void) {
    this.#tell = tell;
  }

  /** A call begins, which may become a task. */
  begin(call: number, server: string, request: RecordableRequest): void {
    this.#calls.set(call, { server, request });
  }

  /** Something happened to a call: it may be a task by now. */
  look(call: number, status?: string): void {
    const open = this.#calls.get(call);
    const taskId = open?.request.taskId;
    if (open === undefined || taskId === undefined) return;
    const isTold = open.told !== undefined && (status ?? open.told.status) === open.told.status;
    if (isTold) return;
    const { server } = open;
    open.told = { type: 'task', server, call, taskId, ...(status !== undefined && { status }) };
    this.#tell(open.told);
  }

  /** The server said how a task is. Returns whether a call in flight is that task. */
  hear(taskId: unknown, said: unknown): boolean {
    const { status } = (said ?? {}) as { status?: unknown };
    let isKnown = false;
    for (const [call, { request }] of this.#calls) {
      if (request.taskId === undefined || request.taskId !== taskId) continue;
      isKnown = true;
      this.look(call, typeof status === 'string' ? status : undefined);
    }
    return isKnown;
  }

  /** A call ends. */
  end(call: number): void {
    this.look(call);
    this.#calls.delete(call);
  }
}
