import { AsyncResource } from 'node:async_hooks';
import type { Tool } from '@modelcontextprotocol/client';

/** What a watch over the list of tools is made with. */
export interface ToolChangesOptions {
  /** Lists the tools. */
  list: () => Promise<Tool[]>;
  /** The list differs from what the program knows, or may. */
  onChange: () => void;
}

/**
 * A server says on each of its connections that its tools changed. That is taken for a hint only:
 * the tools are listed, once for many hints, and the program is told if they are others.
 */
export class ToolChanges {
  readonly #options: ToolChangesOptions;
  /** They are listed for no call. */
  readonly #scope = new AsyncResource('longwire.pool');
  #known: string | undefined;
  #isLooking = false;
  #hasNewHint = false;

  constructor(options: ToolChangesOptions) {
    this.#options = options;
  }

  /** Takes a list that the program has got. */
  learn(tools: readonly Tool[]): void {
    this.#known = canonical(tools);
  }

  /** A connection says that the tools changed. */
  hint(): void {
    this.#hasNewHint = true;
    if (!this.#isLooking) void this.#look();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#hasNewHint) {
      this.#hasNewHint = false;
      const before = this.#known;
      const now = await this.#scope
        .runInAsyncScope(() => this.#options.list())
        .then(canonical, () => undefined);
      const isKnown = now !== undefined && (now === before || now === this.#known);
      this.#known = now;
      // What could not be listed may well be another.
      if (!isKnown) this.#options.onChange();
    }
    this.#isLooking = false;
  }
}

/** The same for the same tools, in whatever order. */
function canonical(tools: readonly Tool[]): string {
  return JSON.stringify(tools.map((tool) => JSON.stringify(tool)).sort());
}
