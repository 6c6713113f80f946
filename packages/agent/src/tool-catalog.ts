import type Anthropic from '@anthropic-ai/sdk';
import {
  assignPrefixes,
  ToolNames,
  trustedHintsOf,
  type NamedTool,
  type Tool,
  type ToolAnnotations,
  type ToolSource,
} from '@longwire/client';
import { untilAborted } from './abort.js';
import type { SourceFailedEvent, ToolLeftOutEvent } from './events.js';
import { offerSchema } from './input-schema.js';
import type { CallOptions } from './options.js';

/** A tool and where it is to be called. */
export interface CatalogTool {
  source: ToolSource;
  tool: Tool;
  /** What is believed of its hints. */
  hints: ToolAnnotations | undefined;
}

/** The tool behind a name that Claude used; `gone` is one that Claude knew and that is not there. */
export type FoundTool = CatalogTool | 'gone' | undefined;

/** What is worth telling about a refresh. */
export type CatalogEvent = SourceFailedEvent | ToolLeftOutEvent;

interface Shelf {
  readonly source: ToolSource;
  readonly stopListening: () => void;
  /** What was listed last, even if that has become stale. */
  tools: Offer[];
  stale: boolean;
  failed: boolean;
}

interface Offer {
  tool: Tool;
  hints: ToolAnnotations | undefined;
  definition: Omit<Anthropic.Tool, 'name'>;
}

/** The tools of all sources under the names that Claude knows; fetched once, and when they change. */
export class ToolCatalog {
  readonly #shelves: readonly Shelf[];
  readonly #callOptions: Readonly<CallOptions>;
  #prefixes: string[] | undefined;
  #definitions: Anthropic.Tool[] = [];
  #taken: readonly Anthropic.Tool[] = [];
  #byName = new Map<string, CatalogTool>();
  /** A name is one tool for the length of a conversation. */
  readonly #names = new ToolNames<Shelf>();
  #isNamed = false;

  constructor(
    sources: readonly ToolSource[],
    { callOptions }: { callOptions: Readonly<CallOptions> },
  ) {
    this.#callOptions = callOptions;
    this.#shelves = sources.map((source) => {
      const shelf: Shelf = {
        source,
        tools: [],
        stale: true,
        failed: false,
        stopListening: source.on('toolsChanged', () => {
          shelf.stale = true;
          shelf.failed = false;
        }),
      };
      return shelf;
    });
  }

  /**
   * The tools as the API takes them: the same array until something changes. The API refuses tool
   * calls in a conversation without any tools, and their definitions are what makes past calls
   * readable. So when no tool is left, a conversation with calls goes on with those that the API
   * took last; Claude may call them still, and is told that they do not exist.
   */
  definitions({ hasToolCalls }: { hasToolCalls: boolean }): readonly Anthropic.Tool[] {
    return this.#definitions.length === 0 && hasToolCalls ? this.#taken : this.#definitions;
  }

  /** The API took a request with these definitions. */
  taken(definitions: readonly Anthropic.Tool[]): void {
    if (definitions.length > 0) this.#taken = definitions;
  }

  /**
   * Fetches the lists that are not known or have changed. A source that fails is reported and
   * passed over, with what it had listed before; it is asked again when it says that its tools
   * changed, or when `retryFailed` is set.
   */
  async refresh(options: { signal: AbortSignal; retryFailed: boolean }): Promise<CatalogEvent[]> {
    const { signal, retryFailed } = options;
    const due = this.#shelves.filter((shelf) => shelf.stale && (retryFailed || !shelf.failed));
    if (due.length === 0 && this.#isNamed) return [];
    const events = await Promise.all(due.map((shelf) => this.#fetch(shelf, signal)));
    this.#index();
    return events.flat();
  }

  /**
   * The tool behind a name that Claude used. Claude sometimes forgets the prefix: the plain name is
   * understood where only one source ever had it in this conversation, and means its tool from then
   * on.
   */
  find(name: string): FoundTool {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const owner = this.#names.ownerOf(name) ?? this.#onlyOne(name);
    if (owner === undefined) return undefined;
    this.#names.bind(name, owner);
    const { source, tools } = owner.server;
    const offer = tools.find(({ tool }) => tool.name === owner.tool);
    return offer === undefined ? 'gone' : { source, tool: offer.tool, hints: offer.hints };
  }

  /** Another conversation begins, in which no name has been used. */
  forgetNames(): void {
    this.#names.clear();
    this.#isNamed = false;
  }

  /** Offers a tool no more, until its source's list changes. */
  leaveOut(index: number, reason: string): CatalogEvent[] {
    const name = this.#definitions[index]?.name;
    const left = name === undefined ? undefined : this.#byName.get(name);
    if (left === undefined) return [];
    for (const shelf of this.#shelves) {
      if (shelf.source !== left.source) continue;
      shelf.tools = shelf.tools.filter(({ tool }) => tool !== left.tool);
    }
    this.#index();
    return [leftOut(left.source, left.tool, reason)];
  }

  /** Stops listening to the sources. */
  close(): void {
    for (const shelf of this.#shelves) shelf.stopListening();
  }

  /** The one tool that its source calls so, of all that there have been. */
  #onlyOne(name: string): NamedTool<Shelf> | undefined {
    const sources = new Map<Shelf, NamedTool<Shelf>>();
    for (const named of this.#names.all()) {
      if (named.tool === name) sources.set(named.server, named);
    }
    const [only] = sources.values();
    return sources.size === 1 ? only : undefined;
  }

  async #fetch(shelf: Shelf, signal: AbortSignal): Promise<CatalogEvent[]> {
    const { source } = shelf;
    // Cleared before, so that a change during the fetch leads to another.
    shelf.stale = false;
    try {
      const tools = await untilAborted(signal, source.listTools({ ...this.#callOptions, signal }));
      shelf.failed = false;
      const events: CatalogEvent[] = [];
      shelf.tools = distinct(tools).flatMap((tool) => {
        const offer = offerTool(tool);
        if (!('problem' in offer)) return { ...offer, hints: trustedHintsOf(source, tool) };
        events.push(leftOut(source, tool, offer.problem));
        return [];
      });
      return events;
    } catch (error) {
      shelf.stale = true;
      if (signal.aborted) throw error;
      shelf.failed = true;
      const failure = error instanceof Error ? error : new Error(String(error));
      return [{ type: 'source-failed', server: source.name, error: failure }];
    }
  }

  #index(): void {
    // A client may learn its name only by connecting, so prefixes are not fixed before that; but
    // then they are, so that no tool changes its name in the middle of a conversation.
    this.#prefixes ??= assignPrefixes(this.#shelves.map(({ source }) => source.name));
    const prefixes = this.#prefixes;
    const names = this.#names.assign(
      this.#shelves.map((shelf, index) => ({
        server: shelf,
        prefix: prefixes[index] ?? '',
        tools: shelf.tools.map(({ tool }) => ({ tool: tool.name })),
      })),
    );
    this.#isNamed = true;
    this.#definitions = [];
    this.#byName = new Map();
    this.#shelves.forEach(({ source, tools }, shelf) => {
      tools.forEach(({ tool, hints, definition }, index) => {
        const name = names[shelf]?.[index] ?? tool.name;
        this.#definitions.push({ name, ...definition });
        this.#byName.set(name, { source, tool, hints });
      });
    });
  }
}

function offerTool(tool: Tool): Omit<Offer, 'hints'> | { problem: string } {
  const offered = offerSchema(tool.inputSchema);
  if ('problem' in offered) return offered;
  const description = [tool.description, offered.constraint].filter(Boolean).join('\n\n');
  return {
    tool,
    definition: {
      ...(description === '' ? {} : { description }),
      input_schema: offered.schema,
    },
  };
}

/** A name can be called only once, whatever the server lists. */
function distinct(tools: readonly Tool[]): Tool[] {
  const byName = new Map<string, Tool>();
  for (const tool of tools) if (!byName.has(tool.name)) byName.set(tool.name, tool);
  return [...byName.values()];
}

function leftOut(source: ToolSource, tool: Tool, reason: string): ToolLeftOutEvent {
  return { type: 'tool-left-out', server: source.name, tool: tool.name, reason };
}
