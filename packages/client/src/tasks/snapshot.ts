import type { JSONRPCErrorResponse, Progress } from '@modelcontextprotocol/client';
import { isObject } from '../untrusted/is-object.js';

/** How a task is: it ends as `completed`, `failed` or `cancelled`, and does not change after that. */
export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

/** How a task is, as its server says. */
export interface TaskState {
  /** Its id. */
  taskId: string;
  /** How it is. */
  status: TaskStatus;
  /** What its server says of that, for a person. */
  statusMessage?: string;
  /** When it was made, as an ISO 8601 date; empty if its server does not say. */
  createdAt: string;
  /** When it changed last, as an ISO 8601 date; empty if its server does not say. */
  lastUpdatedAt: string;
  /** How long its server keeps it, in milliseconds from `createdAt`; `null`: for ever. */
  ttlMs: number | null;
  /** How often its server wants to be asked, in milliseconds. */
  pollIntervalMs?: number;
  /** How far it is, where its server is one of Longwire's. */
  progress?: Progress;
}

/** What a server says of a task at one moment. */
export interface TaskSnapshot {
  readonly state: TaskState;
  /** What it asks for, by key, while it is `input_required`. */
  readonly inputRequests?: Readonly<Record<string, unknown>>;
  /** Of a task that is `completed`. */
  readonly result?: unknown;
  /** Of a task that is `failed`. */
  readonly error?: JSONRPCErrorResponse['error'];
}

/** Under this name Longwire's servers put the numbers of a task's progress into its `_meta`. */
export const PROGRESS_META_KEY = 'longwire/progress';

const STATUSES: ReadonlySet<unknown> = new Set<TaskStatus>([
  'working',
  'input_required',
  'completed',
  'failed',
  'cancelled',
]);

/** An id goes into a header, and servers take headers of a few KiB. */
const MAX_ID_LENGTH = 1024;

/** The task that a result has in the place of content, as results of 2025-11-25 do. */
export function taskIn({ task, content }: Readonly<Record<string, unknown>>): unknown {
  return content === undefined && isObject(task) && 'taskId' in task ? task : undefined;
}

/** Whether a task has ended. */
export function isFinal(status: TaskStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/**
 * Reads what a server says of a task. What is needed to follow it has to be there; the rest may be of any
 * form. Returns what is wrong, if it cannot be used. `taskId` is the id of the task that was asked for.
 */
export function readSnapshot(value: unknown, taskId?: string): TaskSnapshot | string {
  if (!isObject(value)) return 'it is no object';
  const { status, inputRequests, result, error } = value;
  const id = value['taskId'];
  if (typeof id !== 'string' || id === '') return 'it has no taskId';
  if (id.length > MAX_ID_LENGTH) return `its taskId has more than ${MAX_ID_LENGTH} characters`;
  if (taskId !== undefined && id !== taskId) return 'it is of another task';
  if (!STATUSES.has(status)) return `its status is ${statusText(status)}`;
  const state = stateOf(value, id, status as TaskStatus);
  switch (state.status) {
    case 'input_required':
      return isObject(inputRequests) ? { state, inputRequests } : { state };
    case 'completed':
      return { state, result };
    case 'failed':
      return { state, error: errorOf(error, state.statusMessage) };
    default:
      return { state };
  }
}

function stateOf(value: Record<string, unknown>, taskId: string, status: TaskStatus): TaskState {
  const { statusMessage, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs } = value;
  const progress = progressOf(value);
  return {
    taskId,
    status,
    ...(typeof statusMessage === 'string' && { statusMessage }),
    createdAt: typeof createdAt === 'string' ? createdAt : '',
    lastUpdatedAt: typeof lastUpdatedAt === 'string' ? lastUpdatedAt : '',
    ttlMs: typeof ttlMs === 'number' ? ttlMs : null,
    ...(typeof pollIntervalMs === 'number' && { pollIntervalMs }),
    ...(progress !== undefined && { progress }),
  };
}

function progressOf({ _meta: meta }: Record<string, unknown>): Progress | undefined {
  const said = isObject(meta) ? meta[PROGRESS_META_KEY] : undefined;
  if (!isObject(said) || typeof said['progress'] !== 'number') return undefined;
  const { progress, total, message } = said;
  return {
    progress: progress as number,
    ...(typeof total === 'number' && { total }),
    ...(typeof message === 'string' && { message }),
  };
}

/** A task that failed has failed, whatever form its error has. */
function errorOf(
  error: unknown,
  statusMessage: string | undefined,
): NonNullable<TaskSnapshot['error']> {
  const { code, message, data } = isObject(error) ? error : ({} as Record<string, unknown>);
  return {
    code: typeof code === 'number' ? code : INTERNAL_ERROR,
    message: typeof message === 'string' ? message : (statusMessage ?? 'it does not say why'),
    ...(data !== undefined && { data }),
  };
}

const INTERNAL_ERROR = -32_603;
const MAX_STATUS = 40;

function statusText(status: unknown): string {
  return typeof status === 'string'
    ? JSON.stringify(status.slice(0, MAX_STATUS))
    : `a ${typeof status}`;
}
