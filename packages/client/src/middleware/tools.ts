import type { McpRequest } from './contract.js';
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
