import type Anthropic from '@anthropic-ai/sdk';
import { asRejection } from './api-rejection.js';
import type { Approvals } from './approval.js';
import { keepable } from './conversation.js';
import type { Conversation } from './conversation.js';
import type { AgentEvent, DoneEvent, DoneReason } from './events.js';
import { nextStep } from './next-step.js';
import type { ResolvedAgentOptions } from './options.js';
import { withCacheBreakpoints } from './prompt-cache.js';
import { StreamedResponse } from './response.js';
import type { ToolCatalog } from './tool-catalog.js';
import { runToolCalls } from './tool-calls.js';
import { ToolRound } from './tool-round.js';
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

/**
 * One message of the user and all that follows until Claude has answered it. It can end anywhere
 * (an abort, an error, a consumer that breaks off) and leaves the conversation such that the next
 * turn can follow:
 *
 * - cut off while Claude writes: the text that was seen is kept, calls that were not yet made are not;
 * - cut off while tools run: every call has a result, which says what is known of it;
 * - failed, refused, or cut off before Claude said anything: the conversation is as it was before;
 * - failed or refused later on: it ends with the newest tool results, and the next message joins them.
 */
export class Turn {
  readonly #context: TurnContext;
  readonly #before: readonly Anthropic.MessageParam[];
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

  /** Runs the turn. @throws what the API or the approval hook throws, unchanged. */
  async *events(content: readonly UserBlock[]): AsyncGenerator<AgentEvent, void, undefined> {
    const { conversation, signal } = this.#context;
    conversation.addUser(content);
    try {
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

  async *#rounds(): AsyncGenerator<AgentEvent, void, undefined> {
    const { catalog, approvals, options, signal } = this.#context;
    let text = '';
    for (let rounds = 0; ; rounds++) {
      signal.throwIfAborted();
      yield* await catalog.refresh({ signal, retryFailed: rounds === 0 });
      const message = yield* this.#ask();
      text += textOf(message);

      const content = keepable(message.content);
      const step = nextStep({
        stopReason: message.stop_reason,
        hasToolUse: content.some(({ type }) => type === 'tool_use'),
        rounds,
        maxRounds: options.maxRounds,
      });
      // Into the conversation first: at every yield the consumer may break off.
      if (step.type === 'run-tools') {
        this.#round = new ToolRound(content);
      } else if (step.type === 'continue' || step.reason !== 'refusal') {
        this.#keep(content, step.type === 'done' ? step.unrun : '');
      } else {
        this.#takeBack('Claude refused to go on from what this tool returned.');
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
      const context = { catalog, approvals, maxResultChars, callOptions, signal };
      yield* runToolCalls(this.#round, context);
      this.#closeRound(this.#round);
      text = '';
    }
  }

  /** One request and its answer. A tool that the API will not take is left out, so that the others work. */
  async *#ask(): AsyncGenerator<AgentEvent, Anthropic.Message, undefined> {
    const { conversation, catalog, options, signal } = this.#context;
    for (;;) {
      const response = (this.#response = new StreamedResponse());
      try {
        const { messages, hasToolCalls } = conversation;
        const tools = catalog.definitions({ hasToolCalls });
        const parts = { messages, tools, system: options.system };
        const params = {
          ...options.request,
          model: options.model,
          max_tokens: options.maxTokens,
          ...withCacheBreakpoints(parts),
        };
        yield* response.read(options.anthropic, params, signal);
        catalog.taken(tools);
      } catch (error) {
        const rejection = asRejection(error);
        if (rejection?.tool === undefined) throw error;
        const events = catalog.leaveOut(rejection.tool, rejection.message);
        if (events.length === 0) throw error;
        yield* events;
        continue;
      }
      if (response.message !== undefined) return response.message;
    }
  }

  #keep(content: Anthropic.ContentBlock[], unrun: string): void {
    const { conversation } = this.#context;
    if (content.length === 0) return;
    const round = new ToolRound(content, unrun);
    if (round.uses.length > 0) conversation.addRound(content, round.results());
    else conversation.addAssistant(content);
    this.#answered = true;
  }

  #closeRound(round: ToolRound): void {
    this.#context.conversation.addRound(round.content, round.results());
    this.#round = undefined;
    this.#answered = true;
  }

  /** Removes what the API will not go on from. */
  #takeBack(note: string): void {
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
      this.#takeBack('The tool ran, but what it returned could not be passed on to you.');
    }
  }

  #interrupted(): void {
    if (this.#settled) return;
    this.#settled = true;
    const { conversation } = this.#context;
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
