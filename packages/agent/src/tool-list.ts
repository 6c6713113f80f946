import type Anthropic from '@anthropic-ai/sdk';
import { createHash } from 'node:crypto';
import {
  LongwireError,
  trustedHintsOf,
  type Tool,
  type ToolAnnotations,
  type ToolSource,
} from '@longwire/client';
import { untilAborted } from './abort.js';
import type { SourceFailedEvent, ToolLeftOutEvent } from './events.js';
import { offerSchema } from './input-schema.js';
import type { CallOptions } from './options.js';

/** What is worth telling about a refresh. */
export type CatalogEvent = SourceFailedEvent | ToolLeftOutEvent;

/** A tool as it is offered to Claude, but for its name. */
export interface Offer {
  tool: Tool;
  hints: ToolAnnotations | undefined;
  definition: Omit<Anthropic.Tool, 'name'>;
}

/** How long a turn waits for a list. */
const patientMs = 5000;

/** How long it waits for a source that has failed, or kept it waiting. */
const impatientMs = 500;

/** A definition that is longer leaves no room for a conversation. */
const maxDefinitionChars = 400_000;

/**
 * The tools of one source: read once, and when they change. A list that does not come soon is read on
 * in the background, and the turn goes on with what is known. Tools that the API refused are
 * remembered as they were, so that a new list does not bring them back.
 */
export class ToolList {
  readonly source: ToolSource;
  readonly #callOptions: Readonly<CallOptions>;
  readonly #stopListening: () => void;
  readonly #closed = new AbortController();
  readonly #refused = new Set<string>();
  readonly #told = new Set<string>();
  #offers: readonly Offer[] = [];
  #news: CatalogEvent[] = [];
  #reading: Promise<void> | undefined;
  #isStale = true;
  /** Nothing was tried since the last turn began, or the source said that its tools changed. */
  #mayRetry = true;
  /** It failed, or is late, and nothing has come since. */
  #isMissing = false;

  constructor(source: ToolSource, callOptions: Readonly<CallOptions>) {
    this.source = source;
    this.#callOptions = callOptions;
    this.#stopListening = source.on('toolsChanged', () => {
      this.#isStale = true;
      this.#mayRetry = true;
    });
  }

  /** What was listed last, even if that has become stale. */
  get offers(): readonly Offer[] {
    return this.#offers;
  }

  /** Whether what there is now is not known. */
  get isMissing(): boolean {
    return this.#isMissing;
  }

  /** Reads the list if that is due, and waits for it for a while. */
  async refresh(options: { signal: AbortSignal; retryFailed: boolean }): Promise<CatalogEvent[]> {
    const { signal, retryFailed } = options;
    const isDue = this.#isStale && this.#reading === undefined && (retryFailed || this.#mayRetry);
    const waits = isDue || (this.#reading !== undefined && retryFailed);
    if (isDue) this.#reading = this.#read(signal);
    if (waits && this.#reading !== undefined) {
      const waitMs = this.#isMissing ? impatientMs : patientMs;
      const isInTime = await untilAborted(signal, within(waitMs, this.#reading));
      if (!isInTime) {
        const message = `the list of tools did not come within ${waitMs / 1000} s; it is waited for in the background`;
        this.#missed(new LongwireError(message, { code: 'timeout', certainty: 'outcome-unknown' }));
      }
    }
    signal.throwIfAborted();
    return this.takeNews();
  }

  /** Offers a tool no more, as it is now. */
  refuse(offer: Offer, reason: string): void {
    this.#refused.add(digestOf(offer));
    this.#offers = this.#offers.filter((other) => other !== offer);
    this.#tellLeftOut(offer.tool, reason);
  }

  /** What there is to tell, and was not told yet. */
  takeNews(): CatalogEvent[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  /** Stops listening to the source, and reading. */
  close(): void {
    this.#stopListening();
    this.#closed.abort();
  }

  async #read(turn: AbortSignal): Promise<void> {
    const { source } = this;
    const signal = AbortSignal.any([turn, this.#closed.signal]);
    // Before, so that a change during the read leads to another.
    this.#isStale = false;
    this.#mayRetry = false;
    try {
      const tools = await untilAborted(signal, source.listTools({ ...this.#callOptions, signal }));
      this.#offers = distinct(tools).flatMap((tool) => this.#offer(tool));
      this.#isMissing = false;
    } catch (error) {
      this.#isStale = true;
      if (signal.aborted) this.#mayRetry = true;
      else this.#missed(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#reading = undefined;
    }
  }

  #missed(error: Error): void {
    if (this.#isMissing) return;
    this.#isMissing = true;
    this.#news.push({ type: 'source-failed', server: this.source.name, error });
  }

  #offer(tool: Tool): Offer[] {
    const { source } = this;
    const offered = offerSchema(tool.inputSchema);
    if ('problem' in offered) return this.#tellLeftOut(tool, offered.problem);
    const description = [tool.description, offered.constraint].filter(Boolean).join('\n\n');
    const definition = {
      ...(description === '' ? {} : { description }),
      input_schema: offered.schema,
    };
    const offer = { tool, hints: trustedHintsOf(source, tool), definition };
    if (JSON.stringify(definition).length > maxDefinitionChars) {
      const problem = `its definition has more than ${maxDefinitionChars} characters`;
      return this.#tellLeftOut(tool, problem);
    }
    return this.#refused.size > 0 && this.#refused.has(digestOf(offer)) ? [] : [offer];
  }

  /** Once for each tool and reason, however often it is listed. */
  #tellLeftOut(tool: Tool, reason: string): [] {
    const key = JSON.stringify([tool.name, reason]);
    if (this.#told.has(key)) return [];
    this.#told.add(key);
    this.#news.push({ type: 'tool-left-out', server: this.source.name, tool: tool.name, reason });
    return [];
  }
}

/** What the API judges a tool by. */
export function digestOf({ tool, definition }: Offer): string {
  const text = JSON.stringify([tool.name, definition]);
  return createHash('sha256').update(text).digest('base64');
}

/** Whether work is done in time; it goes on anyway, and must not reject. */
function within(limitMs: number, work: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), limitMs);
    void work.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** A name can be called only once, whatever the server lists. */
function distinct(tools: readonly Tool[]): Tool[] {
  const byName = new Map<string, Tool>();
  for (const tool of tools) if (!byName.has(tool.name)) byName.set(tool.name, tool);
  return [...byName.values()];
}
