import {
  alternatives,
  asSchema,
  describeType,
  requiredNames,
  resolve,
  typeOf,
  type Schema,
} from '../arguments/schema.js';
import { sanitize, sanitizeLine } from '../sanitize.js';
import { formatOf, limitsOf } from './limits.js';

/** How many lines a tree has at most: a schema may have any number of members. */
const maxNodes = 300;

/** How deep it goes. */
const maxDepth = 8;

/** How many of the alternatives of a value are shown. */
const maxChoices = 20;

const maxNameLength = 128;
const maxHeadLength = 600;
const maxDescriptionLength = 4000;

/** One value of a schema, as people read it. All of it is sanitized. */
export interface SchemaNode {
  /** How deep it lies; 0 for the values that a schema begins with. */
  depth: number;
  /** `name*`, with the mark if it is required; empty for what has no name. */
  name: string;
  /** The type and the limits: `string, 1 to 20 characters, default "a"`. */
  type: string;
  /** What the schema says it is; it may have several lines. */
  description: string;
}

interface Place {
  depth: number;
  /** References that were followed to get here: a schema may hold itself. */
  within: readonly string[];
}

interface Tree {
  root: Schema;
  nodes: SchemaNode[];
}

/** The members of an object schema, or the one value that another schema describes, as a tree. */
export function schemaTree(schema: Schema, root: Schema = schema): SchemaNode[] {
  const tree: Tree = { root, nodes: [] };
  const followed: string[] = [];
  const own = resolve(schema, root, followed);
  const place = { depth: 0, within: followed };
  const isObject = typeOf(own) === 'object' || 'properties' in own;
  if (isObject) addParts(tree, own, place);
  else addNode(tree, { name: '', schema }, { depth: 0, within: [] });
  return tree.nodes;
}

/** Adds a value and what it consists of. */
function addNode(tree: Tree, value: { name: string; schema: unknown }, place: Place): void {
  const { root, nodes } = tree;
  const { name } = value;
  const schema = asSchema(value.schema);
  const followed: string[] = [];
  const own = resolve(schema, root, followed);
  for (const part of listOf(own['allOf'])) resolve(asSchema(part), root, followed);
  const isWithinItself = followed.some((reference) => place.within.includes(reference));
  // Of a value that may be null, the other type says what it is.
  const plains = alternatives(schema, root).filter((plain) => typeOf(plain) !== 'null');
  const [plain = own] = plains;
  const isOne = plains.length === 1;
  const type = describeType(schema, root);
  const words = [
    `${type}${isOne ? formatOf(plain) : ''}`,
    ...limitsOf(isOne ? plain : own),
    ...(isWithinItself ? ['as above'] : []),
  ];
  const description =
    schema['description'] ?? own['description'] ?? (isOne && plain['description']);
  nodes.push({
    depth: place.depth,
    name,
    type: sanitizeLine(words.join(', '), maxHeadLength),
    description:
      typeof description === 'string'
        ? sanitize(description.slice(0, maxDescriptionLength)).trim()
        : '',
  });
  if (isWithinItself) return;
  const inner = { depth: place.depth + 1, within: [...place.within, ...followed] };
  if (isOne) addParts(tree, plain, inner);
  else addChoices(tree, own, inner);
}

/** Adds the members of an object, or the items of a list. */
function addParts(tree: Tree, schema: Schema, place: Place): void {
  const properties = asSchema(schema['properties']);
  const required = new Set(requiredNames(schema));
  const members: { name: string; schema: unknown }[] = [
    ...new Set([...Object.keys(properties), ...required]),
  ].map((name) => ({
    name: sanitizeLine(name, maxNameLength) + (required.has(name) ? '*' : ''),
    schema: properties[name],
  }));
  for (const [pattern, each] of Object.entries(asSchema(schema['patternProperties']))) {
    members.push({ name: `(names like ${sanitizeLine(pattern, maxNameLength)})`, schema: each });
  }
  const { additionalProperties: others, items, prefixItems } = schema;
  if (Object.keys(asSchema(others)).length > 0) {
    members.push({ name: '(any other name)', schema: others });
  }
  for (const [index, each] of listOf(prefixItems).entries()) {
    members.push({ name: `item ${index + 1}`, schema: each });
  }
  addAll(tree, members, place);
  if (items !== undefined) addItems(tree, asSchema(items), place);
}

/** Adds what each item of a list is, where that says more than its type. */
function addItems(tree: Tree, items: Schema, place: Place): void {
  const plains = alternatives(items, tree.root);
  const [plain = {}] = plains;
  const says = limitsOf(plain).length > 0 || formatOf(plain) !== '' || 'description' in items;
  const isStructured = 'properties' in plain || 'items' in plain || plains.length > 1;
  if (says || isStructured) addAll(tree, [{ name: 'each', schema: items }], place);
}

/** Adds the alternatives of a value, where they are more than names of types. */
function addChoices(tree: Tree, own: Schema, place: Place): void {
  if ('properties' in own) addParts(tree, own, place);
  const choices = [...listOf(own['anyOf']), ...listOf(own['oneOf'])].filter(
    (choice) => asSchema(choice)['type'] !== 'null',
  );
  const says = choices.some((choice) => {
    const schema = resolve(asSchema(choice), tree.root);
    return (
      'properties' in schema ||
      'items' in schema ||
      'description' in schema ||
      limitsOf(schema).length > 0
    );
  });
  if (!says) return;
  const members = choices.slice(0, maxChoices).map((schema) => ({ name: 'or', schema }));
  addAll(tree, members, place);
}

function addAll(
  tree: Tree,
  members: readonly { name: string; schema: unknown }[],
  place: Place,
): void {
  const { nodes } = tree;
  if (members.length === 0) return;
  const rest = { depth: place.depth, name: '', description: '' };
  if (place.depth >= maxDepth) {
    nodes.push({ ...rest, type: '… (--json shows the rest)' });
    return;
  }
  for (const [index, member] of members.entries()) {
    if (nodes.length < maxNodes) addNode(tree, member, place);
    else {
      nodes.push({ ...rest, type: `… and ${members.length - index} more (--json shows them)` });
      return;
    }
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
