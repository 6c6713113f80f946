import type Anthropic from '@anthropic-ai/sdk';
import { isObject } from '@longwire/client/internal';
import type { ToolCallRef } from './events.js';

/** A task that a server has made of a call, and whose result is not in the conversation yet. */
export interface PendingTask extends ToolCallRef {
  task: {
    /** The id that the server gave it. */
    taskId: string;
    /** What the source calls that server: the source's own name, or that of a server of a group. */
    server: string;
  };
}

/**
 * Tasks that a program kept with the messages: a copy.
 *
 * @throws TypeError that names the task that is wrong, or is of no call of the messages.
 */
export function givenTasks(
  given: unknown,
  messages: readonly Anthropic.MessageParam[],
): PendingTask[] {
  if (!Array.isArray(given)) throw new TypeError('tasks must be an array');
  const calls = new Set(messages.flatMap(({ content }) => callIds(content)));
  return given.map((one: unknown, index) => {
    const { id, server, tool, task } = isObject(one) ? one : ({} as Record<string, unknown>);
    const { taskId, server: taskServer } = isObject(task) ? task : ({} as Record<string, unknown>);
    const texts = [id, server, tool, taskId, taskServer];
    if (!texts.every((text) => typeof text === 'string') || taskId === '') {
      throw new TypeError(`tasks.${index} is no task: give what agent.tasks gave`);
    }
    if (!calls.has(id)) {
      throw new TypeError(
        `tasks.${index} is of the call ${JSON.stringify(id)}, which messages do not have: give what ` +
          'agent.messages and agent.tasks gave at the same moment',
      );
    }
    return { id, server, tool, task: { taskId, server: taskServer } } as PendingTask;
  });
}

function callIds(content: Anthropic.MessageParam['content']): unknown[] {
  if (typeof content === 'string') return [];
  return content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
}
