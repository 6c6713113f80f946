import {
  INTERNAL_ERROR,
  type InputRequests,
  type JSONRPCErrorResponse,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import type { MaybePromise } from '../principal.js';

/** How far a task is; the last three are final. */
export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

/** How far a handler says it is. */
export interface TaskProgress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** Who called, as the server of a task is told in its handshake. */
export interface TaskClient {
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly info: Readonly<Record<string, unknown>>;
  /** From which level on log messages are wanted; `undefined` for none. */
  readonly logLevel?: string | undefined;
}

/**
 * What runs a task again whose process has died, if its tool may run twice. It holds no credentials: those
 * of whoever asks for the task are used.
 */
export interface TaskOrigin {
  /** As its server got it. */
  readonly message: JSONRPCRequest;
  readonly client: TaskClient;
  /** The session that is told how far it is. */
  readonly sessionId?: string;
}

/**
 * A task as data: a call whose answer is asked for later. JSON can hold it. Names are those of the
 * protocol where it has one: https://modelcontextprotocol.io/seps/2663-tasks-extension
 */
export interface TaskRecord {
  /** Unguessable. */
  readonly taskId: string;
  /** `Principal.id` of who called. */
  readonly principal: string;
  readonly tool: string;
  /** The node that runs it, in a cluster; a store of one process names the one that it lost. Clients never see it. */
  readonly node?: string;
  /** What would run it again; missing once it has ended, and where it is too long to be kept. */
  readonly origin?: TaskOrigin;
  /** Of the protocol that the call came by: the client of another era cannot be asked the same way. */
  readonly era: 'legacy' | 'modern';
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lastUpdatedAt: number;
  readonly status: TaskStatus;
  readonly statusMessage?: string;
  readonly progress?: TaskProgress;
  /** How long it is kept after it was created; `null` for as long as the store likes. */
  readonly ttlMs: number | null;
  /** How often the client should ask. */
  readonly pollIntervalMs?: number;
  /** What the client is asked, with `input_required`. */
  readonly inputRequests?: InputRequests;
  /** The answer, with `completed`; also that of a tool that reports an error. */
  readonly result?: JSONRPCResultResponse['result'];
  /** The answer, with `failed`. */
  readonly error?: JSONRPCErrorResponse['error'];
  /** Counts changes, from 1. */
  readonly version: number;
}

/** A task that is to be kept. */
export type NewTask = Omit<TaskRecord, 'createdAt' | 'lastUpdatedAt' | 'version'>;

/** What may change; a value of `undefined` takes a property away. */
export type TaskChanges = {
  readonly [
    Name in
      | 'node'
      | 'origin'
      | 'status'
      | 'statusMessage'
      | 'progress'
      | 'ttlMs'
      | 'pollIntervalMs'
      | 'inputRequests'
      | 'result'
      | 'error'
  ]?: TaskRecord[Name] | undefined;
};

/** Some tasks of a principal, and where the next ones begin. */
export interface TaskPage {
  readonly tasks: readonly TaskRecord[];
  readonly nextCursor?: string;
}

/**
 * Where tasks are kept: in memory, or where several nodes reach them. A principal sees its own tasks only;
 * those of others, and those that have expired, do not exist for it.
 */
export interface TaskStore {
  /**
   * Keeps a task, or says that the principal has too many. A task that is kept can be got from then on.
   * Fails where there is one of this id.
   */
  create(task: NewTask): MaybePromise<TaskRecord | 'too-many'>;
  get(principal: string, taskId: string): MaybePromise<TaskRecord | undefined>;
  /**
   * Changes a task that still has this version. `conflict` if it changed meanwhile, or its status is
   * final; `undefined` where there is none.
   */
  update(
    principal: string,
    taskId: string,
    change: { readonly version: number; readonly changes: TaskChanges },
  ): MaybePromise<TaskRecord | 'conflict' | undefined>;
  /** Whether there was one. */
  delete(principal: string, taskId: string): MaybePromise<boolean>;
  /**
   * The tasks of a principal in the order in which they were created, from where a cursor says.
   *
   * @throws RangeError for a cursor that is none.
   */
  list(
    principal: string,
    page?: { readonly cursor?: string; readonly limit?: number },
  ): MaybePromise<TaskPage>;
  /**
   * Told when a task may have changed, whichever node has changed it, until that is taken back; once at
   * first, too. Whoever listens asks for the task then. A store of several nodes without it is asked
   * every few seconds. A store of one process needs none.
   */
  listen?(taskId: string, listener: () => void): () => void;
}

/** The answer of a task that ran when its process ended: nobody knows what it did. */
export const LOST_TASK: NonNullable<TaskRecord['error']> = {
  code: INTERNAL_ERROR,
  message: 'The server was restarted while this ran: a part of it may have run',
  data: { certainty: 'outcome-unknown' },
};

/** The same where a node of a cluster has died. */
export const LOST_WITH_NODE: typeof LOST_TASK = {
  ...LOST_TASK,
  message: 'The node that ran this is gone: a part of it may have run',
};

/** How a task ends that must not run again. */
export function lostChanges(error: typeof LOST_TASK): TaskChanges {
  return {
    status: 'failed',
    statusMessage: error.message,
    inputRequests: undefined,
    origin: undefined,
    error,
  };
}

/** A new task as it is kept. */
export function created(task: NewTask): TaskRecord {
  const now = Date.now();
  return { ...task, createdAt: now, lastUpdatedAt: now, version: 1 };
}

/** A task after a change. */
export function changed(record: TaskRecord, changes: TaskChanges): TaskRecord {
  const after = { ...record, ...changes, lastUpdatedAt: Date.now(), version: record.version + 1 };
  const entries = Object.entries(after).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as TaskRecord;
}

/** Whether a task with this status changes no more. */
export function isFinal(status: TaskStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** How many tasks a page has, unless the caller says it. */
export const TASK_PAGE_SIZE = 50;
