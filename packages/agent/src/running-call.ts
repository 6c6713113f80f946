import type Anthropic from '@anthropic-ai/sdk';
import { ToolResultError, type CallToolOptions, type CallToolResult } from '@longwire/client';
import { isClosing, untilAborted } from './abort.js';
import { callFailureText, certaintyOf, oddResultText } from './call-failure.js';
import type { EventQueue } from './event-queue.js';
import type { AgentEvent, ToolCallRef } from './events.js';
import type { PendingTask } from './pending-task.js';
import { errorResultBlock, toolResultBlock } from './tool-results.js';

/** Where a call, or a task, tells what becomes of it. */
export interface RunningCallContext {
  /** Takes what Claude is told of it. */
  settled: (result: Anthropic.ToolResultBlockParam) => void;
  /** Takes the task that the call has become. */
  becameTask: (task: PendingTask) => void;
  maxResultChars: number;
  /** Of the turn. A call that has become a task is not ended because the agent is closed. */
  signal: AbortSignal;
  events: EventQueue<AgentEvent>;
}

/** What a call is made, or a task waited for, with. */
type RunOptions = Required<Pick<CallToolOptions, 'signal' | 'onProgress' | 'onWaiting' | 'onTask'>>;

/**
 * Waits for the result of a call. Never rejects: failures go where results go. Returns what it failed
 * with, unless it is a result all the same.
 */
export async function runCall(
  { id, server, tool }: ToolCallRef,
  work: (options: RunOptions) => Promise<CallToolResult>,
  { settled, becameTask, maxResultChars, signal, events }: RunningCallContext,
  failureText: (error: unknown) => string = callFailureText,
): Promise<Error | undefined> {
  const ref = { id, server, tool };
  const calling = new AbortController();
  let isTask = false;
  let isOver = false;
  const onAbort = (): void => {
    if (!isTask || !isClosing(signal)) calling.abort(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const result = await untilAborted(
      signal,
      work({
        signal: calling.signal,
        onProgress: (progress) => {
          if (!isOver) events.push({ type: 'tool-progress', ...ref, progress });
        },
        onWaiting: (waiting) => {
          if (!isOver) events.push({ type: 'tool-waiting', ...ref, waiting });
        },
        onTask: (task) => {
          if (isOver) return;
          isTask = true;
          becameTask({ ...ref, task: { taskId: task.taskId, server: task.server } });
          events.push({ type: 'tool-task', ...ref, task });
        },
      }),
    );
    settled(toolResultBlock(id, result, { maxResultChars }));
    events.push({ type: 'tool-result', ...ref, isError: result.isError === true, result });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ToolResultError) {
      const { result } = thrown;
      const note = thrown.code === 'tool-error' ? undefined : oddResultText(thrown);
      settled(toolResultBlock(id, result, { maxResultChars, note }));
      const isError = result.isError === true;
      events.push({ type: 'tool-result', ...ref, isError, result, error: thrown });
      return undefined;
    }
    // After an abort, only an error with a certainty knows more than what Claude would be told anyway.
    if (!signal.aborted || certaintyOf(thrown) !== undefined) {
      settled(errorResultBlock(id, failureText(thrown).slice(0, maxResultChars)));
    }
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    events.push({ type: 'tool-result', ...ref, isError: true, error });
    return error;
  } finally {
    isOver = true;
    signal.removeEventListener('abort', onAbort);
  }
}
