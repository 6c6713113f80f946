import { AsyncResource } from 'node:async_hooks';
import type { Tool } from '@modelcontextprotocol/client';

/** What {@link ToolChanges} are made with. */
export interface ToolChangesOptions {
  /** Lists the tools. */
  list: () => Promise<Tool[]>;
  /** Called when the list differs from what the program knows, or may differ. */
  onChange: () => void;
}

/**
 * A server says on each of its connections that its tools changed. That is only a hint: the tools are
 * listed, once for many hints, and `onChange` is called if they differ.
 */
export class ToolChanges {
  readonly #options: ToolChangesOptions;
  /** The async context for listing, which belongs to no call. */
  readonly #scope = new AsyncResource('longwire.pool');
  #known: string | undefined;
  #isListing = false;
  #hasNewHint = false;

  constructor(options: ToolChangesOptions) {
    this.#options = options;
  }

  /** Takes a list that the program got. */
  take(tools: readonly Tool[]): void {
    this.#known = canonical(tools);
  }

  /** A connection says that the tools changed. */
  hint(): void {
    this.#hasNewHint = true;
    if (!this.#isListing) void this.#listAgain();
  }

  async #listAgain(): Promise<void> {
    this.#isListing = true;
    while (this.#hasNewHint) {
      this.#hasNewHint = false;
      const before = this.#known;
      const now = await this.#scope
        .runInAsyncScope(() => this.#options.list())
        .then(canonical, () => undefined);
      const isKnown = now !== undefined && (now === before || now === this.#known);
      this.#known = now;
      // A list that could not be got may differ.
      if (!isKnown) this.#options.onChange();
    }
    this.#isListing = false;
  }
}

/** The same text for the same tools, in any order. */
function canonical(tools: readonly Tool[]): string {
  return JSON.stringify(tools.map((tool) => JSON.stringify(tool)).sort());
}
