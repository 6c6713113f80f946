import type {
  JSONRPCErrorResponse,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import type { ClientCall } from '../calls/client-call.js';
import type { ResolvedTaskOptions } from './task-options.js';
import type { TaskClient, TaskRecord } from './task-store.js';

/** The answer to a call, without its id. */
export type TaskAnswer =
  | { readonly result: JSONRPCResultResponse['result'] }
  | { readonly error: JSONRPCErrorResponse['error'] };

/** A call that may become a task. */
export interface TaskCall {
  readonly call: ClientCall;
  /** As the server gets it. */
  readonly message: JSONRPCRequest;
  readonly options: ResolvedTaskOptions;
  /** Of the protocol that the call came by. */
  readonly era: TaskRecord['era'];
  readonly client: TaskClient;
  /** Whether it is a task as soon as it begins; otherwise when it takes long, or asks for input. */
  readonly isAtOnce: boolean;
  /** How long the client wants it to be kept; more than the options say, it does not get. */
  readonly ttlMs?: number;
  readonly caller: TaskCaller;
}

/** Whoever waits for a call. It is told of one end: an answer, or that the call is a task now. */
export interface TaskCaller {
  /** Progress and log messages of a call that is no task. Fulfilled when its reader keeps up. */
  tell(notification: JSONRPCNotification): Promise<void> | undefined;
  answer(answer: TaskAnswer): void;
  becameTask(record: TaskRecord): void;
}
