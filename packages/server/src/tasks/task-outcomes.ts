import { INTERNAL_ERROR, type JSONRPCResultResponse } from '@modelcontextprotocol/server';
import type { CallOutcome } from '../calls/call.js';
import type { ClientCall } from '../calls/client-call.js';
import { messageText } from '../events/message-text.js';
import type { TaskAnswer, TaskCall } from './task-call.js';
import { statusMessageOf } from './task-progress.js';
import type { TaskChanges, TaskOrigin, TaskRecord } from './task-store.js';

/** What is longer is not kept to be run again. */
const MAX_ORIGIN_CHARS = 65_536;

type Result = JSONRPCResultResponse['result'];

/** What runs a call again where its process dies. */
export function originOf({ call, message, client }: TaskCall): { readonly origin?: TaskOrigin } {
  const { sessionId } = call;
  const origin: TaskOrigin = { message, client, ...(sessionId !== undefined && { sessionId }) };
  return JSON.stringify(origin).length > MAX_ORIGIN_CHARS ? {} : { origin };
}

/** What makes an answer one that can be sent. */
export interface AnswerForm {
  readonly call: ClientCall;
  /** Undoes what is of another era. */
  readonly project: (result: Result) => Result;
  readonly maxMessageBytes: number;
}

/** An answer that can be sent and kept: in the form of the client's era, and neither too long nor no JSON. */
export function sendable(
  answer: TaskAnswer,
  { call, project, maxMessageBytes }: AnswerForm,
): TaskAnswer {
  const projected = 'result' in answer ? { result: project(answer.result) } : answer;
  const { message } = messageText(
    { jsonrpc: '2.0', id: call.id, ...projected },
    { maxMessageBytes, log: call.log },
  );
  return 'error' in message
    ? { error: message.error }
    : 'result' in message
      ? { result: message.result }
      : { error: { code: INTERNAL_ERROR, message: 'The call has no answer' } };
}

/** How a call ended that was answered so; without an answer, it was cancelled. */
export function outcomeOf(answer: TaskAnswer | undefined): CallOutcome {
  if (answer === undefined) return { kind: 'cancelled' };
  return 'error' in answer
    ? { kind: 'error', error: answer.error }
    : { kind: 'result', result: answer.result };
}

/** Progress as a record has it. */
export function progressChanges(
  progress: TaskRecord['progress'],
): Pick<TaskRecord, 'progress' | 'statusMessage'> {
  return progress === undefined ? {} : { progress, statusMessage: statusMessageOf(progress) };
}

/** How a record ends. */
export function changesOf(answer: TaskAnswer | undefined): TaskChanges {
  const none = { statusMessage: undefined, inputRequests: undefined, origin: undefined };
  if (answer === undefined) return { ...none, status: 'cancelled' };
  return 'error' in answer
    ? { ...none, status: 'failed', statusMessage: answer.error.message, error: answer.error }
    : { ...none, status: 'completed', result: answer.result };
}
