import { createHash } from 'node:crypto';
import type { Tool } from '@longwire/client';
import { asSchema, requiredNames } from '../arguments/schema.js';
import { hintWords } from '../describe/hints.js';
import { textLines } from './doc-comment.js';
import { pascalCase, SchemaTypes } from './schema-type.js';
import { settleTypes } from './settle-types.js';
import { NEVER, unionOf, type Member, type NamedType, type TypeNode } from './type-node.js';

/** The tools of a server, under the name that it goes by. No two of them have one name. */
export interface ListedServer {
  readonly name: string;
  readonly tools: readonly Tool[];
}

/** How many schemas of one tool become types, and how many of a server. */
const maxSchemas = { tool: 5000, server: 100_000 } as const;

/** What the file says of a server. */
export interface ServerTypes {
  readonly name: string;
  /** Of its schemas, whatever their order. */
  readonly digest: string;
  /** A member for each tool, in the order of their names. */
  readonly tools: readonly Member[];
  /** The definitions that the tools refer to. */
  readonly named: readonly NamedType[];
}

/** The types of a server's tools. `prefix` is what the names of its definitions begin with. */
export function serverTypes({ name, tools }: ListedServer, prefix: string): ServerTypes {
  const listed = tools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const named: NamedType[] = [];
  let left: number = maxSchemas.server;
  const members = listed.map((tool): Member => {
    const types = new SchemaTypes({ maxSchemas: Math.min(left, maxSchemas.tool) });
    const type = toolType(tool, types, `${prefix}${pascalCase(tool.name)}`);
    left -= types.used;
    named.push(...types.named);
    return { name: tool.name, type, isOptional: false, comment: commentOf(tool, types) };
  });
  return { name, digest: digestOf(listed), tools: members, named };
}

function toolType(tool: Tool, types: SchemaTypes, prefix: string): TypeNode {
  const given = argumentsType(tool, types, prefix);
  const result =
    tool.outputSchema === undefined
      ? []
      : [types.typeOf(tool.outputSchema, { prefix: `${prefix}Result`, whole: `${prefix}Result` })];
  const [args = given, structured] = settleTypes([given, ...result], types.named);
  // The protocol has arguments that are an object, whatever the schema says.
  const objects = objectsOf(args);
  const member = (name: string, type: TypeNode): Member => ({
    name,
    type,
    isOptional: false,
    comment: [],
  });
  return {
    kind: 'object',
    members: [
      member('arguments', objects.kind === 'never' ? ANY_ARGUMENTS : objects),
      ...(structured === undefined ? [] : [member('structured', structured)]),
    ],
  };
}

/** A tool that names no argument takes none, unless it says that it takes any. */
function argumentsType(tool: Tool, types: SchemaTypes, prefix: string): TypeNode {
  const type = types.typeOf(tool.inputSchema, { prefix, whole: `${prefix}Arguments` });
  const { properties, additionalProperties = false, ...rest } = asSchema(tool.inputSchema);
  const isPlain = Object.keys(rest).every((keyword) => !COMBINING.has(keyword));
  const takesNone =
    properties !== undefined &&
    Object.keys(asSchema(properties)).length === 0 &&
    requiredNames(rest).length === 0 &&
    additionalProperties === false;
  return takesNone && isPlain ? NO_ARGUMENTS : type;
}

/** What of a type is an object; `never` where nothing surely is. */
function objectsOf(type: TypeNode): TypeNode {
  switch (type.kind) {
    case 'object':
      return type;
    case 'named':
      return objectsOf(type.type.body) === type.type.body ? type : objectsOf(type.type.body);
    case 'union':
      return unionOf(type.of.map(objectsOf));
    case 'intersection':
      return type.of.some((part) => objectsOf(part).kind !== 'never') ? type : NEVER;
    default:
      return NEVER;
  }
}

const COMBINING: ReadonlySet<string> = new Set([
  '$ref',
  'allOf',
  'anyOf',
  'oneOf',
  'patternProperties',
]);

const NO_ARGUMENTS: TypeNode = {
  kind: 'object',
  members: [],
  others: { type: { kind: 'never' }, comment: [] },
};

const ANY_ARGUMENTS: TypeNode = {
  kind: 'object',
  members: [],
  others: { type: { kind: 'unknown' }, comment: [] },
};

function commentOf(tool: Tool, types: SchemaTypes): string[] {
  const title = textLines(tool.title ?? asSchema(tool.annotations)['title']);
  const description = textLines(tool.description);
  const hints = hintWords(tool);
  return [
    ...title,
    ...(title.length > 0 && description.length > 0 ? [''] : []),
    ...description,
    ...(hints.length > 0 ? ['', `The server says: ${hints.join(', ')}.`] : []),
    ...(types.isCut ? ['', 'Its schema is too large: some of it is unknown here.'] : []),
  ];
}

/** What changes when a schema does, and not with the order in which a server writes it. */
function digestOf(tools: readonly Tool[]): string {
  const hash = createHash('sha256');
  for (const { name, inputSchema, outputSchema } of tools) {
    hash.update(`${JSON.stringify(inOrder([name, inputSchema, outputSchema ?? null]))}\n`);
  }
  return hash.digest('hex');
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, member]) => [name, inOrder(member)]);
}
