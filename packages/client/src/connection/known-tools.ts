import type { Result } from '@modelcontextprotocol/client';
import { nextCursor } from './pages.js';

/** One tool as it was listed. */
interface KnownTool {
  json: string;
  isSafe: boolean;
}

/** The tools that a server listed, as far as their lists passed by. */
export class KnownTools {
  #tools = new Map<string, KnownTool>();
  #isListed = false;
  #isWhole = false;

  /** Whether the list was ever asked for. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** Learns from a page of the list; without a cursor it is the first one, and begins anew. */
  learn(cursor: unknown, page: Result): void {
    if (cursor === undefined) this.#tools = new Map();
    this.#isListed = true;
    const { tools } = page;
    // By an empty cursor most servers mean the end, and send the first page again.
    if (cursor !== '') this.#isWhole = (nextCursor(page) ?? '') === '';
    if (!Array.isArray(tools)) return;
    for (const tool of tools as unknown[]) {
      const { name, annotations } = (tool ?? {}) as Record<string, unknown>;
      if (typeof name !== 'string') continue;
      this.#tools.set(name, { json: JSON.stringify(tool), isSafe: isHarmless(annotations) });
    }
  }

  /**
   * Whether the server said that running the tool twice is no more than running it once.
   *
   * @see https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations
   */
  isSafe(name: unknown): boolean {
    return this.#tools.get(name as string)?.isSafe === true;
  }

  /** Takes over another list; true if it is known to differ, in whatever order. */
  replace(other: KnownTools): boolean {
    const before = this.#tools;
    const isKnown = this.#isWhole;
    this.#tools = other.#tools;
    this.#isWhole = other.#isWhole;
    // Of a list that was not read to its end nobody knows.
    if (!isKnown) return false;
    if (before.size !== this.#tools.size) return true;
    for (const [name, { json }] of this.#tools) {
      if (before.get(name)?.json !== json) return true;
    }
    return false;
  }
}

function isHarmless(annotations: unknown): boolean {
  const { readOnlyHint, idempotentHint } = (annotations ?? {}) as Record<string, unknown>;
  return readOnlyHint === true || idempotentHint === true;
}
