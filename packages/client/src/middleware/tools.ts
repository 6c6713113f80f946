import type { Result } from '@modelcontextprotocol/client';
import type { McpRequest } from '../connection/middleware.js';
import { createGlob } from '../untrusted/glob.js';

/** The tool that a request calls, if it does. */
export function toolOf({ method, params }: McpRequest): string | undefined {
  const name = method === 'tools/call' ? params?.['name'] : undefined;
  return typeof name === 'string' ? name : undefined;
}

/**
 * Finds what a table says of a tool. Its keys are names of tools or patterns of them (`get_*`,
 * `{read,list}_*`); a name comes before patterns, and of patterns the first that matches.
 *
 * @throws TypeError for a table that is no object, or by `check` of one of its values.
 */
export function toolTable<T>(
  option: string,
  table: Readonly<Record<string, T>> | undefined,
  check: (name: string, value: T) => void,
): (tool: string) => T | undefined {
  if (table === undefined) return () => undefined;
  if (typeof table !== 'object' || table === null || Array.isArray(table)) {
    throw new TypeError(`${option}: not an object`);
  }
  const names = new Map(Object.entries(table));
  const patterns: { matches: (tool: string) => boolean; value: T }[] = [];
  for (const [key, value] of names) {
    check(`${option}.${key}`, value);
    // A tool's name is no path: `*` goes over a slash, and over a dot in front.
    patterns.push({ matches: createGlob(key, { negation: true }), value });
  }
  return (tool) => names.get(tool) ?? patterns.find(({ matches }) => matches(tool))?.value;
}

/** What one server said of its tools. */
interface ListedTools {
  readonly readOnly: Set<string>;
  readonly repeatable: Set<string>;
}

/** What servers say of their tools, as far as lists of them pass by; each for its own clients. */
export class ToolHints {
  readonly #byClient = new WeakMap<object, ListedTools>();

  /** Takes notice of a result, if it is a list of tools; a first page begins anew. */
  learn({ method, params, client }: McpRequest, { tools }: Result): void {
    if (method !== 'tools/list' || !Array.isArray(tools)) return;
    let listed = this.#byClient.get(client);
    if (listed === undefined || params?.['cursor'] === undefined) {
      listed = { readOnly: new Set(), repeatable: new Set() };
      this.#byClient.set(client, listed);
    }
    for (const tool of tools as unknown[]) {
      const { name, annotations } = (tool ?? {}) as Record<string, unknown>;
      if (typeof name !== 'string') continue;
      const { readOnlyHint, idempotentHint } = (annotations ?? {}) as Record<string, unknown>;
      if (readOnlyHint === true) listed.readOnly.add(name);
      if (readOnlyHint === true || idempotentHint === true) listed.repeatable.add(name);
    }
  }

  /** Whether the server of a request said that the tool only looks. */
  isReadOnly({ client }: McpRequest, tool: string): boolean {
    return this.#byClient.get(client)?.readOnly.has(tool) === true;
  }

  /** Whether the server of a request said that running the tool twice is no more than once. */
  isRepeatable({ client }: McpRequest, tool: unknown): boolean {
    return this.#byClient.get(client)?.repeatable.has(tool as string) === true;
  }
}
