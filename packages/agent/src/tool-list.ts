import type Anthropic from '@anthropic-ai/sdk';
import { createHash } from 'node:crypto';
import { LongwireError, type Tool, type ToolAnnotations, type ToolSource } from '@longwire/client';
import { trustedHintsOf } from '@longwire/client/internal';
import { untilAborted } from './abort.js';
import { viewFor, type CallOptionsFor } from './call-options.js';
import type { SourceFailedEvent, ToolOmittedEvent } from './events.js';
import { offerSchema } from './input-schema.js';

/** An event of a refresh. */
export type CatalogEvent = SourceFailedEvent | ToolOmittedEvent;

/** A tool as it is offered to Claude, without its name. */
export interface Offer {
  tool: Tool;
  hints: ToolAnnotations | undefined;
  definition: Omit<Anthropic.Tool, 'name'>;
}

/** How long a turn waits for a list. */
const patientMs = 5000;

/** How long a turn waits for a source that has failed or was late. */
const impatientMs = 500;

/** A longer definition would leave no room for a conversation. */
const maxDefinitionChars = 400_000;

/**
 * The tools of one source: read once, and when they change. A slow list is read in the background
 * while the turn continues with what is known. Tools that the API rejected stay excluded in a new
 * list, as long as they are the same.
 */
export class ToolList {
  readonly source: ToolSource;
  readonly #callOptions: CallOptionsFor;
  /** Whose list it is, and what ends listening for its changes. */
  #watched: { principal: string | undefined; stop: () => void } | undefined;
  readonly #closed = new AbortController();
  readonly #excluded = new Set<string>();
  readonly #reported = new Set<string>();
  #offers: readonly Offer[] = [];
  #events: CatalogEvent[] = [];
  #reading: Promise<void> | undefined;
  /** The turn that reads. */
  #turn: AbortSignal | undefined;
  #isStale = true;
  /** Nothing was tried since the last turn began, or the source reported that its tools changed. */
  #mayRetry = true;
  /** The last read failed or is late. */
  #isMissing = false;

  constructor(source: ToolSource, callOptions: CallOptionsFor) {
    this.source = source;
    this.#callOptions = callOptions;
  }

  /** The last list, even if it is stale. */
  get offers(): readonly Offer[] {
    return this.#offers;
  }

  /** Whether the present tools are unknown. */
  get isMissing(): boolean {
    return this.#isMissing;
  }

  /** Reads the list if that is due, and waits for it for a limited time. */
  async refresh(options: { signal: AbortSignal; retryFailed: boolean }): Promise<CatalogEvent[]> {
    const { signal, retryFailed } = options;
    // What an aborted turn read ends at once, without a list.
    if (this.#turn?.aborted === true) await this.#reading;
    const isDue = this.#isStale && this.#reading === undefined && (retryFailed || this.#mayRetry);
    const waits = isDue || (this.#reading !== undefined && retryFailed);
    if (isDue) this.#reading = this.#read(signal);
    if (waits && this.#reading !== undefined) {
      const waitMs = this.#isMissing ? impatientMs : patientMs;
      const isInTime = await untilAborted(signal, settlesInTime(waitMs, this.#reading));
      if (!isInTime) {
        const message = `the list of tools did not come within ${waitMs / 1000} s; it is waited for in the background`;
        this.#fail(new LongwireError(message, { code: 'timeout', certainty: 'outcome-unknown' }));
      }
    }
    signal.throwIfAborted();
    return this.takeEvents();
  }

  /** No longer offers a tool in its present form. */
  exclude(offer: Offer, reason: string): void {
    this.#excluded.add(digestOf(offer));
    this.#offers = this.#offers.filter((other) => other !== offer);
    this.#reportExcluded(offer.tool, reason);
  }

  /** The events that were not reported yet. */
  takeEvents(): CatalogEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Unsubscribes from the source, and stops reading. */
  close(): void {
    this.#closed.abort();
    this.#watched?.stop();
  }

  async #read(turn: AbortSignal): Promise<void> {
    const { source } = this;
    this.#turn = turn;
    const signal = AbortSignal.any([turn, this.#closed.signal]);
    // Set before the read, so that a change during it causes another one.
    this.#isStale = false;
    this.#mayRetry = false;
    try {
      const asked = this.#callOptions({ server: source.name, tool: undefined, arguments: {} });
      const given = await untilAborted(signal, Promise.resolve(asked));
      const { view, options } = viewFor(source, given);
      signal.throwIfAborted();
      this.#watch(view, given.principal?.id);
      const tools = await untilAborted(signal, view.listTools({ ...options, signal }));
      this.#offers = distinct(tools).flatMap((tool) => this.#offer(tool, view));
      this.#isMissing = false;
    } catch (error) {
      this.#isStale = true;
      if (signal.aborted) this.#mayRetry = true;
      else this.#fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#reading = undefined;
    }
  }

  /** The changes of a principal's list come on its own session. */
  #watch(view: ToolSource, principal: string | undefined): void {
    if (this.#watched?.principal === principal && this.#watched !== undefined) return;
    if (this.#watched !== undefined) this.#offers = [];
    this.#watched?.stop();
    const stop = view.on('toolsChanged', () => {
      this.#isStale = true;
      this.#mayRetry = true;
    });
    this.#watched = { principal, stop };
  }

  #fail(error: Error): void {
    if (this.#isMissing) return;
    this.#isMissing = true;
    this.#events.push({ type: 'source-failed', server: this.source.name, error });
  }

  #offer(tool: Tool, source: ToolSource): Offer[] {
    const offered = offerSchema(tool.inputSchema);
    if ('problem' in offered) return this.#reportExcluded(tool, offered.problem);
    const description = [tool.description, offered.constraint].filter(Boolean).join('\n\n');
    const definition = {
      ...(description === '' ? {} : { description }),
      input_schema: offered.schema,
    };
    const offer = { tool, hints: trustedHintsOf(source, tool), definition };
    if (JSON.stringify(definition).length > maxDefinitionChars) {
      const problem = `its definition has more than ${maxDefinitionChars} characters`;
      return this.#reportExcluded(tool, problem);
    }
    return this.#excluded.size > 0 && this.#excluded.has(digestOf(offer)) ? [] : [offer];
  }

  /** Once for each tool and reason, however often it is listed. */
  #reportExcluded(tool: Tool, reason: string): [] {
    const key = JSON.stringify([tool.name, reason]);
    if (this.#reported.has(key)) return [];
    this.#reported.add(key);
    this.#events.push({ type: 'tool-omitted', server: this.source.name, tool: tool.name, reason });
    return [];
  }
}

/** A digest of what the API sees of a tool. */
export function digestOf({ tool, definition }: Offer): string {
  const text = JSON.stringify([tool.name, definition]);
  return createHash('sha256').update(text).digest('base64');
}

/** Whether work settles in time. It is not cancelled, and must not reject. */
function settlesInTime(limitMs: number, work: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), limitMs);
    void work.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Of several tools with one name, the first. */
function distinct(tools: readonly Tool[]): Tool[] {
  const byName = new Map<string, Tool>();
  for (const tool of tools) if (!byName.has(tool.name)) byName.set(tool.name, tool);
  return [...byName.values()];
}
