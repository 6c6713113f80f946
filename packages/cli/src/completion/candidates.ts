import type { Tool } from '@longwire/client';
import {
  allowedValues,
  alternatives,
  asSchema,
  inputSchema,
  requiredNames,
  typeOf,
  type Schema,
} from '../arguments/schema.js';
import { firstLine } from '../tool-table.js';

/** What a word may become. */
export interface Candidate {
  value: string;
  /** What it is, in a few words. */
  about?: string;
}

/** The tools of a server, by name. */
export function toolCandidates(tools: readonly Tool[]): Candidate[] {
  return tools.map(({ name, description, title }) => ({
    value: name,
    about: firstLine(description ?? title),
  }));
}

/**
 * What a word of a call may become after the tool: `name=` of each argument that is not written yet,
 * those that are required first, or the values that the schema names for `name=…`.
 */
export function argumentCandidates(
  tool: Tool,
  { word, before }: { word: string; before: readonly string[] },
): Candidate[] {
  const root = inputSchema(tool.inputSchema);
  const properties = asSchema(root['properties']);
  const [, name, assigns = ''] = /^([^=:]*)(:?=)/.exec(word) ?? [];
  if (name !== undefined) {
    return valuesOf(properties[name], root).map((value) => ({
      value: `${name}${assigns}${value}`,
    }));
  }
  const written = new Set(before.map((each) => each.split(/:?=/, 1)[0]));
  const required = requiredNames(root);
  const names = [...new Set([...required, ...Object.keys(properties)])];
  return names
    .filter((each) => !written.has(each))
    .map((each) => ({
      value: `${each}=`,
      about: firstLine(asSchema(properties[each])['description']),
    }));
}

/** The values that a schema names, as they are written on the command line. */
function valuesOf(schema: unknown, root: Schema): string[] {
  const values = alternatives(schema, root).flatMap((plain) => {
    const allowed = allowedValues(plain);
    if (allowed !== undefined) return allowed.map(written);
    return typeOf(plain) === 'boolean' ? ['true', 'false'] : [];
  });
  return [...new Set(values)];
}

function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
