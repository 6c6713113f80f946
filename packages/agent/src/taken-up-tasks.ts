import type Anthropic from '@anthropic-ai/sdk';
import { LongwireError, type TaskHandle } from '@longwire/client';
import { isObject } from '@longwire/client/internal';
import { isClosing } from './abort.js';
import { viewFor, type CallOptionsFor } from './call-options.js';
import { callFailureText, lostTaskText } from './call-failure.js';
import { EventQueue } from './event-queue.js';
import type { AgentEvent } from './events.js';
import type { PendingTask } from './pending-task.js';
import { runCall } from './running-call.js';
import type { ToolCatalog } from './tool-catalog.js';

/** What tasks are taken up with. */
export interface TakeUpContext {
  catalog: Pick<ToolCatalog, 'source'>;
  callOptions: CallOptionsFor;
  maxResultChars: number;
  signal: AbortSignal;
  /** The calls of the conversation. */
  calls: readonly Anthropic.ToolUseBlockParam[];
  settled: (result: Anthropic.ToolResultBlockParam) => void;
}

/**
 * Waits for the tasks that another agent has left, all at once. Nothing is called again. A task that
 * gives no result leads to an error that tells Claude so.
 */
export async function* takeUpTasks(
  tasks: readonly PendingTask[],
  context: TakeUpContext,
): AsyncGenerator<AgentEvent, void, undefined> {
  const events = new EventQueue<AgentEvent>();
  void Promise.all(tasks.map((task) => takeUp(task, context, events))).finally(() => events.end());
  yield* events;
}

/** Never rejects. */
async function takeUp(
  pending: PendingTask,
  { catalog, callOptions, maxResultChars, signal, calls, settled }: TakeUpContext,
  events: EventQueue<AgentEvent>,
): Promise<void> {
  const { id, server, tool, task } = pending;
  const input = calls.find((call) => call.id === id)?.input;
  let handle: TaskHandle | undefined;
  const error = await runCall(
    pending,
    async ({ onTask, ...own }) => {
      const source = catalog.source(server);
      const args = isObject(input) ? input : {};
      const given = await callOptions({ server, tool, arguments: args });
      if (source === undefined) throw new Error(`There is no server ${server} any more.`);
      const { view, options } = viewFor(source, given);
      handle = view.task?.(task.taskId, task.server);
      if (handle === undefined) throw new Error(`${server} cannot be asked for a task.`);
      onTask(handle);
      return handle.result({ ...options, ...own });
    },
    { settled, becameTask: () => {}, maxResultChars, signal, events },
    // That a task could not be asked for says nothing of what it did.
    (thrown) => (isAnswered(thrown) ? callFailureText(thrown) : lostTaskText(thrown)),
  );
  if (error === undefined || isClosing(signal)) return;
  // As with a call that ends early. Whether this arrives changes nothing.
  if (signal.aborted || isLate(error)) void handle?.cancel().catch(() => {});
}

function isAnswered(error: unknown): boolean {
  return error instanceof LongwireError && error.certainty === 'answered';
}

function isLate(error: Error): boolean {
  return error instanceof LongwireError && (error.code === 'timeout' || error.code === 'deadline');
}
