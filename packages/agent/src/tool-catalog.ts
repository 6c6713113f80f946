import type Anthropic from '@anthropic-ai/sdk';
import type { Tool, ToolAnnotations, ToolSource } from '@longwire/client';
import { assignPrefixes, ToolNames, type NamedTool } from '@longwire/client/internal';
import type { RejectedTool } from './api-rejection.js';
import type { CallOptionsFor } from './call-options.js';
import { hasSameProblem } from './rejected-kind.js';
import { digestOf, ToolList, type CatalogEvent, type Offer } from './tool-list.js';

/** A tool and its source. */
export interface CatalogTool {
  source: ToolSource;
  tool: Tool;
  /** Its trusted hints. */
  hints: ToolAnnotations | undefined;
}

/** The tool behind a name that Claude used; `gone` if Claude knew it and it is no longer listed. */
export type FoundTool = CatalogTool | 'gone' | undefined;

/**
 * Each rejected tool costs a request. After so many in a turn, a source with rejected tools offers only
 * what the API has accepted before, until the next turn.
 */
const maxRejections = 5;

/** The tools of all sources under the names that Claude knows; fetched once, and when they change. */
export class ToolCatalog {
  readonly #lists: readonly ToolList[];
  #prefixes: string[] | undefined;
  #definitions: Anthropic.Tool[] = [];
  #accepted: readonly Anthropic.Tool[] = [];
  #byName = new Map<string, CatalogTool & { list: ToolList; offer: Offer }>();
  /** A name means one tool for a whole conversation. */
  readonly #names = new ToolNames<ToolList>();
  /** The offers that the names were assigned to; another array means that they are out of date. */
  #indexed: readonly (readonly Offer[])[] = [];
  /** Digests of what the API has accepted. */
  readonly #acceptedDigests = new Set<string>();
  #reportedMissing: ReadonlySet<ToolList> = new Set();
  #rejections = 0;
  readonly #waiting = new Set<ToolList>();

  constructor(sources: readonly ToolSource[], { callOptions }: { callOptions: CallOptionsFor }) {
    this.#lists = sources.map((source) => new ToolList(source, callOptions));
  }

  /**
   * The tools as the API accepts them: the same array until something changes. The API rejects tool
   * calls in a conversation without tools. So when no tool is left, a conversation with calls keeps
   * the definitions that the API accepted last, or the names alone. Claude may still call them, and
   * is told that they do not exist.
   */
  definitions(calls: () => readonly { name: string }[]): readonly Anthropic.Tool[] {
    if (this.#definitions.length > 0) return this.#definitions;
    const called = new Set(calls().map(({ name }) => name));
    if (called.size === 0 || this.#accepted.length > 0)
      return called.size === 0 ? [] : this.#accepted;
    return [...called].map((name) => ({ name, input_schema: { type: 'object' } }));
  }

  /** The source of this name. */
  source(name: string): ToolSource | undefined {
    return this.#lists.find(({ source }) => source.name === name)?.source;
  }

  /** The API accepted a request with these definitions. */
  accepted(definitions: readonly Anthropic.Tool[]): void {
    if (definitions.length === 0 || definitions === this.#accepted) return;
    this.#accepted = definitions;
    for (const { offer } of this.#byName.values()) this.#acceptedDigests.add(digestOf(offer));
  }

  /**
   * Reads the lists that are unknown or have changed. A source that fails or is late is reported, and
   * its previous list is used. It is asked again when its tools change, or when a turn begins.
   */
  async refresh(options: { signal: AbortSignal; turnBegins: boolean }): Promise<CatalogEvent[]> {
    const { signal, turnBegins } = options;
    if (turnBegins) {
      this.#rejections = 0;
      this.#waiting.clear();
    }
    const events = await Promise.all(
      this.#lists.map((list) => list.refresh({ signal, retryFailed: turnBegins })),
    );
    this.#index();
    return events.flat();
  }

  /** The names of sources whose tools are not known now; each once, until they are known again. */
  untoldMissing(): string[] {
    const missing = this.#lists.filter(({ isMissing }) => isMissing);
    const untold = missing.filter((list) => !this.#reportedMissing.has(list));
    this.#reportedMissing = new Set(missing);
    return untold.map(({ source }) => source.name);
  }

  /**
   * The tool behind a name that Claude used. Claude sometimes omits the prefix: the plain name is
   * accepted if only one source ever had it in this conversation, and it means that tool from then on.
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

  /** Another conversation begins, without names in use. */
  resetNames(): void {
    this.#names.clear();
    this.#indexed = [];
    this.#reportedMissing = new Set();
  }

  /**
   * No longer offers a tool in its present form, nor tools with the same problem, which would each
   * cost a request. Returns no events if there is no such tool.
   */
  exclude(rejected: RejectedTool, reason: string): CatalogEvent[] {
    const name = this.#definitions[rejected.index]?.name;
    const refused = name === undefined ? undefined : this.#byName.get(name);
    if (refused === undefined) return [];
    for (const { list, offer } of this.#byName.values()) {
      if (offer === refused.offer) {
        list.exclude(offer, reason);
      } else if (
        hasSameProblem(rejected.schemaPath, refused.offer, offer) &&
        !this.#acceptedDigests.has(digestOf(offer))
      ) {
        list.exclude(offer, `the same as in ${refused.tool.name}: ${reason}`);
      }
    }
    this.#rejections++;
    if (this.#rejections >= maxRejections) this.#waiting.add(refused.list);
    this.#index();
    return this.#lists.flatMap((list) => list.takeEvents());
  }

  /** Unsubscribes from the sources. */
  close(): void {
    for (const list of this.#lists) list.close();
  }

  /** The one tool that had this name at its source. */
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
        ? list.offers.filter((offer) => this.#acceptedDigests.has(digestOf(offer)))
        : list.offers,
    );
    if (this.#indexed.length > 0 && offers.every((each, n) => each === this.#indexed[n])) return;
    this.#indexed = offers;
    // A client may know its name only once it is connected, so prefixes are fixed now; from then on
    // no tool changes its name during a conversation.
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
