import type Anthropic from '@anthropic-ai/sdk';
import { isClosing } from './abort.js';
import { asRejection, type MessagePlace } from './api-rejection.js';
import type { Approvals } from './approval.js';
import { keepable } from './conversation.js';
import type { Conversation } from './conversation.js';
import type { AgentEvent, DoneEvent, DoneReason } from './events.js';
import { nextStep } from './next-step.js';
import { backOff, isTransientFailure } from './overload.js';
import type { ResolvedAgentOptions } from './options.js';
import type { PendingTask } from './pending-task.js';
import { withCacheBreakpoints } from './prompt-cache.js';
import { StreamedResponse } from './response.js';
import { newestMedia, removeContent } from './removed-content.js';
import { takeUpTasks } from './taken-up-tasks.js';
import type { ToolCatalog } from './tool-catalog.js';
import { runToolCalls } from './tool-calls.js';
import { withUniqueIds } from './tool-ids.js';
import { ToolRound } from './tool-round.js';
import { wellFormed } from './text.js';
import { addUsage, noUsage, usageOf } from './usage.js';
import type { UserBlock } from './user-content.js';

/** What a turn works on. */
export interface TurnContext {
  conversation: Conversation;
  catalog: ToolCatalog;
  approvals: Approvals;
  options: ResolvedAgentOptions;
  signal: AbortSignal;
}

/** The longest part of a server's name that Claude is told. */
const maxNameLength = 100;

/** The most parts of the conversation that a turn removes; each costs a request. */
const maxRemoved = 10;

/**
 * One message of the user and all that follows until Claude has answered it. It can end anywhere
 * (an abort, an error, a consumer that stops reading), and the next turn can always follow:
 *
 * - interrupted while Claude writes: the text so far is kept, calls that were not made are dropped;
 * - interrupted while tools run: every call has a result that says what is known of it;
 * - failed, declined or interrupted before Claude said anything: the conversation is as before;
 * - failed or declined later: the conversation ends with the newest tool results, and the next message
 *   is added to them.
 */
export class Turn {
  readonly #context: TurnContext;
  /** The conversation to restore if the turn fails. */
  #before: readonly Anthropic.MessageParam[];
  /** Where the user's message of this turn begins; if the API rejects that, the program gets the error. */
  #ownStart = { message: 0, block: 0 };
  #removed = 0;
  #response: StreamedResponse | undefined;
  #round: ToolRound | undefined;
  /** Whether anything that Claude said in this turn is in the conversation. */
  #answered = false;
  #settled = false;
  #usage = noUsage;

  constructor(context: TurnContext) {
    this.#context = context;
    this.#before = context.conversation.messages;
  }

  /**
   * Runs the turn; without content it is one that another agent began. @throws what the API or the approval
   * hook throws, unchanged.
   */
  async *events(content: readonly UserBlock[]): AsyncGenerator<AgentEvent, void, undefined> {
    const { conversation, signal } = this.#context;
    try {
      yield* this.#takeUpTasks();
      if (content.length > 0) conversation.addUser(content);
      const last = conversation.messages.at(-1)?.content ?? [];
      this.#ownStart = {
        message: conversation.messages.length - 1,
        block: last.length - content.length,
      };
      yield* this.#rounds();
    } catch (error) {
      if (!signal.aborted) {
        this.#failed(error);
        throw error;
      }
      const text = this.#response?.text ?? '';
      this.#interrupted();
      yield this.#done('aborted', text);
    } finally {
      this.#interrupted();
    }
  }

  async *#takeUpTasks(): AsyncGenerator<AgentEvent, void, undefined> {
    const { conversation, catalog, options, signal } = this.#context;
    if (conversation.tasks.length === 0) return;
    const { callOptions, maxResultChars } = options;
    yield* takeUpTasks(conversation.tasks, {
      catalog,
      callOptions,
      maxResultChars,
      signal,
      calls: conversation.toolCalls(),
      settled: (result) => {
        // A task that is left stays, and so does what is said of it.
        if (this.#settled || isClosing(signal)) return;
        conversation.settle(result);
        this.#before = conversation.messages;
      },
    });
    signal.throwIfAborted();
  }

  async *#rounds(): AsyncGenerator<AgentEvent, void, undefined> {
    const { conversation, catalog, approvals, options, signal } = this.#context;
    let text = '';
    for (let rounds = 0; ; rounds++) {
      signal.throwIfAborted();
      yield* await catalog.refresh({ signal, turnBegins: rounds === 0 });
      if (rounds === 0) this.#tellMissing();
      const message = yield* this.#ask();
      text += textOf(message);

      const used = conversation.toolCalls().map(({ id }) => id);
      const content = withUniqueIds(keepable(message.content), used);
      const step = nextStep({
        stopReason: message.stop_reason,
        hasToolUse: content.some(({ type }) => type === 'tool_use'),
        rounds,
        maxRounds: options.maxRounds,
      });
      // Into the conversation first: the consumer may stop at any yield.
      if (step.type === 'run-tools') {
        this.#openRound(content);
      } else if (step.type === 'continue' || step.reason !== 'refusal') {
        this.#keep(content, step.type === 'done' ? step.unrun : '');
      } else {
        this.#discard('Claude declined to continue after what this tool returned.');
      }
      if (step.type === 'done') this.#settled = true;
      this.#response = undefined;

      const usage = usageOf(message);
      this.#usage = addUsage(this.#usage, usage);
      yield { type: 'usage', usage };

      if (step.type === 'done') {
        yield this.#done(step.reason, text, message.stop_details?.explanation);
        return;
      }
      if (this.#round === undefined) continue;
      const { maxResultChars, callOptions } = options;
      const becameTask = (task: PendingTask): void => {
        if (!this.#settled) conversation.addTask(task);
      };
      const context = { catalog, approvals, maxResultChars, callOptions, becameTask, signal };
      yield* runToolCalls(this.#round, context);
      this.#closeRound(this.#round);
      text = '';
    }
  }

  /**
   * One answer. A tool or an earlier part of the conversation that the API rejects is removed, and the
   * request is sent again. After a transient failure, the same request is sent again.
   */
  async *#ask(): AsyncGenerator<AgentEvent, Anthropic.Message, undefined> {
    const { conversation, catalog, options, signal } = this.#context;
    let attempt = 0;
    for (;;) {
      const response = (this.#response = new StreamedResponse());
      try {
        const { messages } = conversation;
        const tools = catalog.definitions(() => conversation.toolCalls());
        const parts = { messages, tools, system: options.system };
        const params = {
          ...options.request,
          model: options.model,
          max_tokens: options.maxTokens,
          ...withCacheBreakpoints(parts),
        };
        yield* response.read(options.anthropic, params, signal);
        catalog.accepted(tools);
      } catch (error) {
        const { maxRetries } = options.anthropic;
        if (response.isSilent && isTransientFailure(error) && attempt < maxRetries) {
          await backOff(attempt++, signal);
          continue;
        }
        const events = this.#exclude(error);
        if (events.length === 0) throw error;
        yield* events;
        continue;
      }
      if (response.message !== undefined) return response.message;
    }
  }

  /** Removes what the API rejects; returns no events if nothing can be removed. */
  #exclude(error: unknown): AgentEvent[] {
    const { conversation, catalog } = this.#context;
    const rejection = asRejection(error);
    if (rejection === undefined) return [];
    if (rejection.tool !== undefined) return catalog.exclude(rejection.tool, rejection.message);
    const place = rejection.aboutMedia
      ? newestMedia(conversation.messages, (each) => this.#isOwn(each))
      : rejection.place;
    if (place === undefined || this.#isOwn(place) || this.#removed >= maxRemoved) return [];
    const changed = removeContent(conversation.messages, place);
    if (changed === undefined) return [];
    this.#removed++;
    conversation.restore(changed.messages);
    this.#before = removeContent(this.#before, place)?.messages ?? this.#before;
    return [{ type: 'content-omitted', what: changed.what, reason: rejection.message }];
  }

  #isOwn({ message, block = 0 }: MessagePlace): boolean {
    return message === this.#ownStart.message && block >= this.#ownStart.block;
  }

  /** Tells Claude once which servers' tools are not available. */
  #tellMissing(): void {
    const { conversation, catalog } = this.#context;
    const names = catalog.untoldMissing();
    if (names.length === 0) return;
    const shown = names.map((name) => JSON.stringify(name.slice(0, maxNameLength))).join(', ');
    const note = `[The tools of ${shown} are not available at the moment.]`;
    conversation.addUser([{ type: 'text', text: wellFormed(note) }]);
  }

  #keep(content: Anthropic.ContentBlock[], unrun: string): void {
    const { conversation } = this.#context;
    if (content.length === 0) return;
    const round = new ToolRound(content, { note: unrun });
    if (round.uses.length > 0) conversation.addRound(round.content, round.results());
    else conversation.addAssistant(content);
    this.#answered = true;
  }

  /** The round is in the conversation while its calls run: the process may end at any moment. */
  #openRound(content: Anthropic.ContentBlock[]): void {
    const { conversation } = this.#context;
    const round = new ToolRound(content, {
      onSettled: (result) => {
        if (this.#round === round) conversation.settle(result);
      },
    });
    conversation.addRound(round.content, round.provisional());
    this.#round = round;
    this.#answered = true;
  }

  #closeRound(round: ToolRound): void {
    this.#context.conversation.replaceResults(round.results());
    this.#round = undefined;
  }

  /** Removes what Claude or the API does not accept. */
  #discard(note: string): void {
    const { conversation } = this.#context;
    if (this.#answered) conversation.withholdResults(note);
    else conversation.restore(this.#before);
  }

  #failed(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    if (this.#round !== undefined) {
      this.#closeRound(this.#round);
    } else if (!this.#answered || asRejection(error)?.aboutContent === true) {
      this.#discard('The tool ran, but what it returned could not be passed on to you.');
    }
  }

  #interrupted(): void {
    if (this.#settled) return;
    this.#settled = true;
    const { conversation, signal } = this.#context;
    if (!isClosing(signal)) conversation.dropTasks();
    const text = this.#response?.text ?? '';
    if (this.#round !== undefined) this.#closeRound(this.#round);
    else if (text.trim() !== '') conversation.addAssistant([{ type: 'text', text }]);
    else if (!this.#answered) conversation.restore(this.#before);
  }

  #done(reason: DoneReason, text: string, explanation?: string | null): DoneEvent {
    const done: DoneEvent = { type: 'done', reason, text, usage: this.#usage };
    return explanation ? { ...done, explanation } : done;
  }
}

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}
