import { AsyncResource } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import type Anthropic from '@anthropic-ai/sdk';
import { AgentClosed } from './abort.js';
import { Approvals } from './approval.js';
import { Conversation } from './conversation.js';
import type { AgentEvent } from './events.js';
import { checkNames } from './option-names.js';
import { resolveOptions } from './options.js';
import type { AgentOptions, ResolvedAgentOptions } from './options.js';
import type { PendingTask } from './pending-task.js';
import { ToolCatalog } from './tool-catalog.js';
import { Turn } from './turn.js';
import { userContent } from './user-content.js';
import type { UserBlock } from './user-content.js';

/** The agent is in the middle of a turn, or closed. */
export class AgentStateError extends Error {
  override readonly name: string = 'AgentStateError';
}

/** Options of {@link Agent.send}. */
export interface SendOptions {
  /**
   * Ends the turn early: the API's stream and the calls in flight are aborted, their tasks cancelled, and
   * the events end with `done` and the reason `aborted`. Breaking out of the loop does the same, without that event.
   */
  signal?: AbortSignal;
}

/** A message of a conversation that was had elsewhere. */
export interface SaidMessage {
  role: 'user' | 'assistant';
  content: string | readonly UserBlock[];
}

/**
 * Claude, with the tools of the connected servers, in one conversation. What a tool answered is in it, so
 * make one for each person.
 */
export interface Agent {
  /** The model that is asked. */
  readonly model: string;
  /**
   * The conversation so far, always in a form that the API takes: every tool call has its result.
   * A new array whenever it changes; never changed in place. As JSON it can be kept, and given to
   * `createAgent` again.
   */
  readonly messages: readonly Anthropic.MessageParam[];
  /**
   * Tasks that servers have made of calls, and whose results are not in `messages` yet. A new array whenever
   * it changes. Kept with `messages`, and given to `createAgent` again, they make a turn resumable that was
   * ended by a crash or by `close`.
   */
  readonly tasks: readonly PendingTask[];
  /**
   * Sends a message to Claude and reports what happens until Claude has answered, tools included.
   * The turn starts when the first event is read and advances as events are read. Read them to the
   * end, or break out of the loop; they can be read once. The sources and the approval hook run in
   * the asynchronous context of `send`, whoever reads the events.
   *
   * If a turn fails before Claude says anything, the conversation stays as it was: send the same
   * message again to retry.
   *
   * @throws TypeError at once if there is nothing to say.
   * @throws AgentStateError if another turn is under way (at once, or at the first event), or after
   *   `close`.
   * @throws (from the iterator) the SDK's error, unchanged, if the API fails, or will not take what
   *   is sent; what the approval hook throws.
   */
  send(content: string | readonly UserBlock[], options?: SendOptions): AsyncIterable<AgentEvent>;
  /**
   * Goes on with a turn that ended before Claude had answered: waits for {@link tasks}, whose calls are not
   * made again, and asks Claude. As {@link send}, which waits for them too, but without a new message.
   *
   * @throws AgentStateError as `send`, and at once if the conversation does not end with something that
   *   Claude has to answer.
   */
  resume(options?: SendOptions): AsyncIterable<AgentEvent>;
  /**
   * Adds what was said elsewhere, such as the messages of a prompt of a server, without asking Claude.
   * Where an empty conversation would begin with Claude, a note of the user comes first.
   *
   * @throws AgentStateError while a turn is under way.
   */
  append(messages: readonly SaidMessage[]): void;
  /** Asks this model from the next turn on. @throws AgentStateError while a turn is under way. */
  useModel(model: string): void;
  /** Starts an empty conversation. @throws AgentStateError while a turn is under way. */
  reset(): void;
  /**
   * Ends the turn under way as an abort does, but leaves the tasks of its calls running, in {@link tasks}.
   * Unsubscribes from the sources, which stay open.
   */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Makes an agent. Nothing is asked of the sources or of the API before the first `send`.
 *
 * @throws TypeError that names the option that is wrong.
 */
export function createAgent(options: AgentOptions): Agent {
  const resolved = resolveOptions(options);
  return new LongwireAgent(resolved, new ToolCatalog(options.clients, resolved));
}

class LongwireAgent implements Agent {
  #options: ResolvedAgentOptions;
  readonly #catalog: ToolCatalog;
  readonly #approvals: Approvals;
  readonly #conversation: Conversation;
  #turn: AbortController | undefined;
  #closed = false;

  constructor(options: ResolvedAgentOptions, catalog: ToolCatalog) {
    this.#options = options;
    this.#catalog = catalog;
    this.#approvals = new Approvals(options.approve);
    this.#conversation = new Conversation(options.messages, options.tasks);
  }

  get model(): string {
    return this.#options.model;
  }

  get messages(): readonly Anthropic.MessageParam[] {
    return this.#conversation.messages;
  }

  get tasks(): readonly PendingTask[] {
    return this.#conversation.tasks;
  }

  send(
    content: string | readonly UserBlock[],
    options: SendOptions = {},
  ): AsyncIterable<AgentEvent> {
    return this.#begin(userContent(content), options);
  }

  resume(options: SendOptions = {}): AsyncIterable<AgentEvent> {
    this.#assertIdle();
    if (this.messages.at(-1)?.role !== 'user') {
      throw new AgentStateError('There is nothing to resume: Claude has answered. Use send.');
    }
    return this.#begin([], options);
  }

  #begin(blocks: readonly UserBlock[], options: SendOptions): AsyncIterable<AgentEvent> {
    checkNames(options, ['signal']);
    const { signal } = options;
    this.#assertIdle();
    const turn = new AbortController();
    // Each call of a turn listens to it, and there may be many.
    setMaxListeners(0, turn.signal);
    const events = this.#run(blocks, turn, signal);
    // The sources, the approval hook and the SDK run in the context of `send`, whoever reads the events.
    const context = new AsyncResource('longwire.turn');
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => context.runInAsyncScope(() => events.next()),
        return: () => {
          // First abort: the generator's own return waits until the generator does.
          if (this.#turn === turn) turn.abort();
          return context.runInAsyncScope(() => events.return());
        },
      }),
    };
  }

  append(messages: readonly SaidMessage[]): void {
    this.#assertIdle();
    for (const { role, content } of messages) {
      const blocks = userContent(content);
      if (role === 'user') this.#conversation.addUser(blocks);
      else {
        if (this.messages.length === 0) this.#conversation.addUser(beforeClaude);
        this.#conversation.addAssistant(blocks.map(asSaid));
      }
    }
  }

  useModel(model: string): void {
    this.#assertIdle();
    this.#options = { ...this.#options, model };
  }

  reset(): void {
    this.#assertIdle();
    this.#conversation.restore([]);
    this.#conversation.dropTasks();
    this.#catalog.resetNames();
  }

  close(): void {
    this.#closed = true;
    this.#turn?.abort(new AgentClosed('The agent is closed.'));
    this.#catalog.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async *#run(
    blocks: readonly UserBlock[],
    turn: AbortController,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<AgentEvent, void, undefined> {
    this.#assertIdle();
    this.#turn = turn;
    const onAbort = (): void => turn.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      const context = {
        conversation: this.#conversation,
        catalog: this.#catalog,
        approvals: this.#approvals,
        options: this.#options,
        signal: turn.signal,
      };
      for await (const event of new Turn(context).events(blocks)) {
        // The turn is over even if the consumer reads no further.
        if (event.type === 'done') this.#turn = undefined;
        yield event;
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (this.#turn === turn) this.#turn = undefined;
    }
  }

  #assertIdle(): void {
    if (this.#closed) throw new AgentStateError('The agent is closed.');
    if (this.#turn !== undefined) {
      throw new AgentStateError(
        'The agent is in the middle of a turn: read its events to their end, or abort it, first.',
      );
    }
  }
}

/** The API takes no conversation that Claude begins. */
const beforeClaude: readonly UserBlock[] = [
  { type: 'text', text: '(The conversation begins with what you said.)' },
];

/** The API takes images and documents of the user alone. */
function asSaid(block: UserBlock): UserBlock {
  return block.type === 'text' ? block : { type: 'text', text: `(${block.type} left out)` };
}
