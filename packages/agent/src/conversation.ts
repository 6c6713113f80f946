import type Anthropic from '@anthropic-ai/sdk';
import type { PendingTask } from './pending-task.js';
import { errorResultBlock } from './tool-results.js';
import { isBlank } from './text.js';

type Messages = readonly Anthropic.MessageParam[];

/**
 * The messages so far, always in a form that the API accepts: user and assistant alternate, and an
 * assistant message with tool calls is added together with all its results. Nothing is changed in
 * place, so a list that was returned earlier stays as it was.
 */
export class Conversation {
  #messages: Messages;
  #tasks: readonly PendingTask[];

  /**
   * @param messages what was said before; already in that form.
   * @param tasks of calls in them.
   */
  constructor(messages: Messages = [], tasks: readonly PendingTask[] = []) {
    this.#messages = messages;
    this.#tasks = tasks;
  }

  get messages(): Messages {
    return this.#messages;
  }

  /** Tasks whose results are not in the messages yet. A new array whenever it changes. */
  get tasks(): readonly PendingTask[] {
    return this.#tasks;
  }

  /** A call of the newest round has become a task. */
  addTask(task: PendingTask): void {
    this.#tasks = [...this.#tasks, task];
  }

  /** No task is waited for any more. */
  dropTasks(): void {
    this.#tasks = [];
  }

  /** The calls of tools, in order. */
  toolCalls(): Anthropic.ToolUseBlockParam[] {
    return this.#messages.flatMap(({ content }) => {
      const blocks: readonly Anthropic.ContentBlockParam[] =
        typeof content === 'string' ? [] : content;
      return blocks.filter(isToolUse);
    });
  }

  /** Restores earlier messages. */
  restore(messages: Messages): void {
    this.#messages = messages;
  }

  /**
   * Adds what the user says. If the last message is the user's too (tool results that Claude never
   * answered), it is appended to that message.
   */
  addUser(content: readonly Anthropic.ContentBlockParam[]): void {
    this.#add('user', content);
  }

  /** Adds what Claude said, without tool calls. Where Claude had only paused, it is continued. */
  addAssistant(content: readonly Anthropic.ContentBlockParam[]): void {
    this.#add('assistant', content);
  }

  /** Adds what Claude said, with tool calls, and the results of all of them, in order. */
  addRound(
    content: readonly Anthropic.ContentBlockParam[],
    results: readonly Anthropic.ToolResultBlockParam[],
  ): void {
    this.#add('assistant', content);
    this.#add('user', results);
  }

  /** A call, or its task, has its result. */
  settle(result: Anthropic.ToolResultBlockParam): void {
    this.replaceResults([result]);
    this.#tasks = this.#tasks.filter(({ id }) => id !== result.tool_use_id);
  }

  /** Replaces results, by the ids of their calls. */
  replaceResults(results: readonly Anthropic.ToolResultBlockParam[]): void {
    const byCall = new Map(results.map((result) => [result.tool_use_id, result]));
    const isReplaced = (block: Anthropic.ContentBlockParam): boolean =>
      block.type === 'tool_result' && byCall.has(block.tool_use_id);
    this.#messages = this.#messages.map((message) => {
      const { content } = message;
      if (message.role !== 'user' || typeof content === 'string' || !content.some(isReplaced)) {
        return message;
      }
      const replaced = content.map((block) =>
        block.type === 'tool_result' ? (byCall.get(block.tool_use_id) ?? block) : block,
      );
      return { role: 'user', content: replaced };
    });
  }

  /**
   * Replaces the newest tool results with a note, after the API has rejected them: otherwise every
   * later request would contain them and fail.
   */
  withholdResults(note: string): void {
    const last = this.#messages.at(-1);
    if (last?.role !== 'user' || typeof last.content === 'string') return;
    const content = last.content.map((block) =>
      block.type === 'tool_result' ? errorResultBlock(block.tool_use_id, note) : block,
    );
    this.#messages = [...this.#messages.slice(0, -1), { role: 'user', content }];
  }

  #add(role: 'user' | 'assistant', content: readonly Anthropic.ContentBlockParam[]): void {
    const last = this.#messages.at(-1);
    if (last?.role !== role || typeof last.content === 'string') {
      this.#messages = [...this.#messages, { role, content: [...content] }];
      return;
    }
    const joined = { role, content: [...last.content, ...content] };
    this.#messages = [...this.#messages.slice(0, -1), joined];
  }
}

function isToolUse(block: Anthropic.ContentBlockParam): block is Anthropic.ToolUseBlockParam {
  return block.type === 'tool_use';
}

/**
 * The blocks of an answer that can be sent back. The API writes blank text blocks but rejects them,
 * and accepts thinking only with its signature, which a cut answer lacks.
 */
export function keepable(content: readonly Anthropic.ContentBlock[]): Anthropic.ContentBlock[] {
  return content.filter((block) => {
    if (block.type === 'text') return !isBlank(block.text);
    if (block.type === 'thinking') return Boolean(block.signature);
    return true;
  });
}
