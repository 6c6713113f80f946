import type { Tool } from '@longwire/client';
import { didYouMean, nameList, shortName } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import { coerce } from './coerce.js';
import {
  alternatives,
  asSchema,
  describeType,
  inputSchema,
  propertySchema,
  requiredNames,
  typeOf,
  type Schema,
} from './schema.js';
import { validate } from './validate.js';
import {
  parseArgumentObject,
  parseAssignment,
  type Assignment,
  type WrittenSources,
} from './words.js';

/** The arguments after the name of a tool. */
export interface WrittenArguments extends WrittenSources {
  /** `key=value` and its relatives, in order. They win over `json`. */
  words: readonly string[];
  /** The value of `--args`. */
  json?: string | undefined;
  /** Called with the reason if the arguments are not checked against the whole schema. */
  onUnchecked?: (reason: string) => void;
}

/**
 * The tool of that name.
 *
 * @throws LongwireError with code `unknown-tool` that names the nearest.
 */
export function findTool(name: string, tools: readonly Tool[]): Tool {
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool !== undefined) return tool;
  const names = tools.map((candidate) => candidate.name);
  const there = names.length === 0 ? ' It has none.' : ' `longwire tools` lists them.';
  const hint = didYouMean(name, names) || there;
  throw usageError(`the server has no tool "${name}".${hint}`, { code: 'unknown-tool' });
}

/**
 * The arguments of a call, converted and checked by the tool's schema before anything is sent.
 *
 * @throws LongwireError with code `invalid-arguments` that names the argument.
 */
export async function toolArguments(
  tool: Tool,
  written: WrittenArguments,
): Promise<Record<string, unknown>> {
  const root = inputSchema(tool.inputSchema);
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(
    written.json === undefined ? {} : parseArgumentObject(written.json, written),
  )) {
    await known(name, root, tool);
    values.set(name, value);
  }
  const assigned = new Set<string>();
  for (const word of written.words) {
    const assignment = parseAssignment(word, written);
    const { name } = assignment;
    const value = valueOf(assignment, await known(name, root, tool), root);
    const earlier = assigned.has(name) ? values.get(name) : undefined;
    if (assigned.has(name) && !(Array.isArray(earlier) && Array.isArray(value))) {
      throw usageError(`argument \`${name}\` is given twice`);
    }
    values.set(name, Array.isArray(earlier) ? [...earlier, ...(value as unknown[])] : value);
    assigned.add(name);
  }
  for (const name of requiredNames(root)) {
    if (!values.has(name)) throw missing(name, root, [...values.keys()]);
  }
  const args = Object.fromEntries(values);
  await validate(args, tool, written.onUnchecked ?? (() => {}));
  return args;
}

/**
 * Arguments that the tool accepts but does not name, which are probably misspelt, each with the known
 * names. None if the tool names no arguments, or declares that it accepts others.
 */
export function unnamedArguments(
  tool: Tool,
  args: Readonly<Record<string, unknown>>,
): { argument: string; names: string[] }[] {
  const root = inputSchema(tool.inputSchema);
  const names = Object.keys(asSchema(root['properties']));
  const named = new Set(names);
  if (names.length === 0 || 'additionalProperties' in root || 'patternProperties' in root)
    return [];
  return Object.keys(args)
    .filter((argument) => !named.has(argument))
    .map((argument) => ({ argument, names }));
}

/** The schema of an argument that the tool takes. */
async function known(name: string, root: Schema, tool: Tool): Promise<unknown> {
  const schema = await propertySchema(name, root);
  if (schema !== undefined) return schema;
  const names = Object.keys(asSchema(root['properties']));
  const list = names.length === 0 ? ' It takes none.' : ` It takes ${nameList(names)}.`;
  throw usageError(
    `the tool ${shortName(tool.name)} has no argument \`${shortName(name)}\`.${didYouMean(name, names) || list}`,
  );
}

function valueOf(assignment: Assignment, schema: unknown, root: Schema): unknown {
  const { name } = assignment;
  if (assignment.kind === 'value') return assignment.value;
  if (assignment.kind === 'text') return typed(name, assignment.text, schema, root);
  const plain = alternatives(schema, root);
  if (plain.some((choice) => choice['contentEncoding'] === 'base64')) {
    return assignment.bytes.toString('base64');
  }
  const text = assignment.bytes.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(assignment.bytes)) {
    throw usageError(`argument \`${name}\`: ${assignment.path} is not UTF-8 text`);
  }
  // The final line break of a file belongs to a text, but not to a list or an object.
  const isText = plain.some((choice) => (typeOf(choice) ?? 'string') === 'string');
  return typed(name, isText ? text : text.trim(), schema, root);
}

function typed(name: string, text: string, schema: unknown, root: Schema): unknown {
  const coerced = coerce(text, schema, root);
  if (coerced.ok) return coerced.value;
  const shown = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  throw usageError(
    `argument \`${shortName(name)}\` must be ${coerced.expected}; "${shown}" is not`,
  );
}

function missing(name: string, root: Schema, given: readonly string[]): Error {
  const properties = asSchema(root['properties']);
  const misspelt = given.find(
    (each) => !Object.hasOwn(properties, each) && didYouMean(each, [name]) !== '',
  );
  const where = misspelt === undefined ? 'after the tool' : `instead of ${shortName(misspelt)}=…`;
  return usageError(
    `argument \`${shortName(name)}\` (${describeType(asSchema(properties[name]), root)}) is missing: write ${shortName(name)}=… ${where}`,
  );
}
