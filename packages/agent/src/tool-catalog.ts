import type Anthropic from '@anthropic-ai/sdk';
import {
  assignPrefixes,
  ToolNames,
  type NamedTool,
  type Tool,
  type ToolAnnotations,
  type ToolSource,
} from '@longwire/client';
import type { RejectedTool } from './api-rejection.js';
import type { CallOptions } from './options.js';
import { isOfSameKind } from './rejected-kind.js';
import { digestOf, ToolList, type CatalogEvent, type Offer } from './tool-list.js';

/** A tool and where it is to be called. */
export interface CatalogTool {
  source: ToolSource;
  tool: Tool;
  /** What is believed of its hints. */
  hints: ToolAnnotations | undefined;
}

/** The tool behind a name that Claude used; `gone` is one that Claude knew and that is not there. */
export type FoundTool = CatalogTool | 'gone' | undefined;

/**
 * Each refusal costs a request. After so many in a turn, what the API has not taken before waits for
 * the next turn, where the sources of the refused tools are concerned.
 */
const maxRefusals = 5;

/** The tools of all sources under the names that Claude knows; fetched once, and when they change. */
export class ToolCatalog {
  readonly #lists: readonly ToolList[];
  #prefixes: string[] | undefined;
  #definitions: Anthropic.Tool[] = [];
  #taken: readonly Anthropic.Tool[] = [];
  #byName = new Map<string, CatalogTool & { list: ToolList; offer: Offer }>();
  /** A name is one tool for the length of a conversation. */
  readonly #names = new ToolNames<ToolList>();
  /** What the names stand for now; another array means that they are due. */
  #indexed: readonly (readonly Offer[])[] = [];
  /** Digests of what the API has taken. */
  readonly #proven = new Set<string>();
  #toldMissing: ReadonlySet<ToolList> = new Set();
  #refusals = 0;
  readonly #waiting = new Set<ToolList>();

  constructor(
    sources: readonly ToolSource[],
    { callOptions }: { callOptions: Readonly<CallOptions> },
  ) {
    this.#lists = sources.map((source) => new ToolList(source, callOptions));
  }

  /**
   * The tools as the API takes them: the same array until something changes. The API refuses tool
   * calls in a conversation without any tools, and their definitions are what makes past calls
   * readable. So when no tool is left, a conversation with calls goes on with those that the API
   * took last, or with their names alone; Claude may call them still, and is told that they do not
   * exist.
   */
  definitions(calls: () => readonly { name: string }[]): readonly Anthropic.Tool[] {
    if (this.#definitions.length > 0) return this.#definitions;
    const called = new Set(calls().map(({ name }) => name));
    if (called.size === 0 || this.#taken.length > 0) return called.size === 0 ? [] : this.#taken;
    return [...called].map((name) => ({ name, input_schema: { type: 'object' } }));
  }

  /** The API took a request with these definitions. */
  taken(definitions: readonly Anthropic.Tool[]): void {
    if (definitions.length === 0 || definitions === this.#taken) return;
    this.#taken = definitions;
    for (const { offer } of this.#byName.values()) this.#proven.add(digestOf(offer));
  }

  /**
   * Reads the lists that are not known or have changed. A source that fails or is late is reported
   * and passed over, with what it had listed before; it is asked again when it says that its tools
   * changed, or when a turn begins.
   */
  async refresh(options: { signal: AbortSignal; turnBegins: boolean }): Promise<CatalogEvent[]> {
    const { signal, turnBegins } = options;
    if (turnBegins) {
      this.#refusals = 0;
      this.#waiting.clear();
    }
    const events = await Promise.all(
      this.#lists.map((list) => list.refresh({ signal, retryFailed: turnBegins })),
    );
    this.#index();
    return events.flat();
  }

  /** The names of sources whose tools are not known now, or not any more; each once, while it is so. */
  untoldMissing(): string[] {
    const missing = this.#lists.filter(({ isMissing }) => isMissing);
    const untold = missing.filter((list) => !this.#toldMissing.has(list));
    this.#toldMissing = new Set(missing);
    return untold.map(({ source }) => source.name);
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
    const { source, offers } = owner.server;
    const offer = offers.find(({ tool }) => tool.name === owner.tool);
    return offer === undefined ? 'gone' : { source, tool: offer.tool, hints: offer.hints };
  }

  /** Another conversation begins, in which no name has been used. */
  forgetNames(): void {
    this.#names.clear();
    this.#indexed = [];
    this.#toldMissing = new Set();
  }

  /**
   * Offers a tool no more as it is, nor those in which the same is wrong, so that each of them does
   * not cost a request of its own. Nothing to tell means that there is no such tool.
   */
  leaveOut(rejected: RejectedTool, reason: string): CatalogEvent[] {
    const name = this.#definitions[rejected.index]?.name;
    const refused = name === undefined ? undefined : this.#byName.get(name);
    if (refused === undefined) return [];
    for (const { list, offer } of this.#byName.values()) {
      if (offer === refused.offer) {
        list.refuse(offer, reason);
      } else if (
        isOfSameKind(rejected.schemaPath, refused.offer, offer) &&
        !this.#proven.has(digestOf(offer))
      ) {
        list.refuse(offer, `the same as in ${refused.tool.name}: ${reason}`);
      }
    }
    this.#refusals++;
    if (this.#refusals >= maxRefusals) this.#waiting.add(refused.list);
    this.#index();
    return this.#lists.flatMap((list) => list.takeNews());
  }

  /** Stops listening to the sources. */
  close(): void {
    for (const list of this.#lists) list.close();
  }

  /** The one tool that its source calls so, of all that there have been. */
  #onlyOne(name: string): NamedTool<ToolList> | undefined {
    const sources = new Map<ToolList, NamedTool<ToolList>>();
    for (const named of this.#names.all()) {
      if (named.tool === name) sources.set(named.server, named);
    }
    const [only] = sources.values();
    return sources.size === 1 ? only : undefined;
  }

  #index(): void {
    const offers = this.#lists.map((list) =>
      this.#waiting.has(list)
        ? list.offers.filter((offer) => this.#proven.has(digestOf(offer)))
        : list.offers,
    );
    if (this.#indexed.length > 0 && offers.every((each, n) => each === this.#indexed[n])) return;
    this.#indexed = offers;
    // A client may learn its name only by connecting, so prefixes are not fixed before that; but
    // then they are, so that no tool changes its name in the middle of a conversation.
    this.#prefixes ??= assignPrefixes(this.#lists.map(({ source }) => source.name));
    const prefixes = this.#prefixes;
    const names = this.#names.assign(
      this.#lists.map((list, index) => ({
        server: list,
        prefix: prefixes[index] ?? '',
        tools: (offers[index] ?? []).map(({ tool }) => ({ tool: tool.name })),
      })),
    );
    this.#definitions = [];
    this.#byName = new Map();
    for (const [index, list] of this.#lists.entries()) {
      for (const [n, offer] of (offers[index] ?? []).entries()) {
        const { tool, hints, definition } = offer;
        const name = names[index]?.[n] ?? tool.name;
        this.#definitions.push({ name, ...definition });
        this.#byName.set(name, { source: list.source, tool, hints, list, offer });
      }
    }
  }
}
