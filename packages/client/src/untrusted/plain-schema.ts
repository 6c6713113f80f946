import { sizeOf } from './json-size.js';

/** A JSON Schema, or `true` or `false`. */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/** A schema that is checked where it is needed. */
export interface PlainSchema {
  schema: Schema;
  /** How many steps one value costs at most. */
  size: number;
}

/** How large a schema may be, so that compiling it takes some milliseconds. */
const BOUNDS = { maxNodes: 400, maxDepth: 24 } as const;

/** What says something about a schema or a value, and asks for nothing. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$comment',
  '$defs',
  '$id',
  '$schema',
  'contentEncoding',
  'contentMediaType',
  'default',
  'definitions',
  'deprecated',
  'description',
  'example',
  'examples',
  'format',
  'readOnly',
  'title',
  'writeOnly',
]);

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isLength = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');
const TYPES = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];
const isType = (value: unknown): boolean => typeof value === 'string' && TYPES.includes(value);

/** What is copied as it is, if it is well made. */
const ASSERTIONS: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: (value) =>
    isType(value) ||
    (Array.isArray(value) && value.every(isType) && new Set(value).size === value.length),
  const: () => true,
  enum: (value) => Array.isArray(value) && value.length > 0,
  maximum: isNumber,
  minimum: isNumber,
  exclusiveMaximum: isNumber,
  exclusiveMinimum: isNumber,
  multipleOf: (value) => isNumber(value) && (value as number) > 0,
  maxLength: isLength,
  minLength: isLength,
  maxItems: isLength,
  minItems: isLength,
  maxProperties: isLength,
  minProperties: isLength,
  required: (value) => isTexts(value) && new Set(value as string[]).size === (value as []).length,
};

/** Versions of JSON Schema in which all of this means the same. */
const KNOWN_SCHEMA =
  /^https?:\/\/json-schema\.org\/(?:draft-0[67]|draft\/20(?:19-09|20-12))\/schema#?$/;

/**
 * The schema as a tree of keywords that cost no more than (size of the schema) × (size of the value).
 * References into the same document are replaced by what they refer to. `undefined` if that is not
 * possible: the schema has patterns, refers to itself, compares items with each other, is too large, is of
 * another version, or is not valid.
 */
export function plainSchema(schema: unknown): PlainSchema | undefined {
  const root = asObject(schema);
  if (root !== undefined && '$schema' in root) {
    if (typeof root['$schema'] !== 'string' || !KNOWN_SCHEMA.test(root['$schema']))
      return undefined;
  }
  const budget = { left: BOUNDS.maxNodes };
  try {
    return {
      schema: copy(schema, { root, budget, depth: 0 }),
      size: BOUNDS.maxNodes - budget.left,
    };
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

class NotPlain extends Error {}

interface CopyContext {
  root: Record<string, unknown> | undefined;
  budget: { left: number };
  depth: number;
}

function copy(schema: unknown, context: CopyContext): Schema {
  charge(context, 1);
  if (typeof schema === 'boolean') return schema;
  const object = asObject(schema);
  if (object === undefined || context.depth > BOUNDS.maxDepth) throw new NotPlain();
  const below = { ...context, depth: context.depth + 1 };
  if (Object.hasOwn(object, '$ref')) return copy(referred(object, context), below);
  // A name of its own for a part changes what references mean.
  if (context.depth > 0 && '$id' in object) throw new NotPlain();
  const copied: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(object)) {
    if (ANNOTATIONS.has(keyword) || keyword.startsWith('x-')) continue;
    copied[keyword] = copyKeyword(keyword, value, below);
  }
  return copied;
}

function copyKeyword(keyword: string, value: unknown, context: CopyContext): unknown {
  switch (keyword) {
    case 'properties': {
      const properties = Object.entries(asObject(value) ?? fail());
      return Object.fromEntries(
        properties.map(([name, schema]) => {
          charge(context, 1 + (name.length >> 5));
          return [name, copy(schema, context)];
        }),
      );
    }
    case 'items':
    case 'additionalProperties':
    case 'not':
      return copy(value, context);
    case 'anyOf':
    case 'oneOf':
    case 'allOf':
      if (!Array.isArray(value) || value.length === 0) throw new NotPlain();
      return value.map((schema) => copy(schema, context));
    default: {
      if (!Object.hasOwn(ASSERTIONS, keyword)) throw new NotPlain();
      charge(context, sizeOf(value, BOUNDS));
      if (ASSERTIONS[keyword]?.(value) !== true) throw new NotPlain();
      return value;
    }
  }
}

/** What a `$ref` without siblings refers to. */
function referred(schema: Record<string, unknown>, { root }: CopyContext): unknown {
  const { $ref: reference, ...beside } = schema;
  const isAlone = Object.keys(beside).every((keyword) => ANNOTATIONS.has(keyword));
  const match = typeof reference === 'string' ? REFERENCE.exec(reference) : null;
  if (!isAlone || match === null) throw new NotPlain();
  const [, table = '', name = ''] = match;
  const definitions = asObject(root?.[table]);
  if (definitions === undefined || !Object.hasOwn(definitions, name)) throw new NotPlain();
  return definitions[name];
}

const REFERENCE = /^#\/(\$defs|definitions)\/([^/~%]+)$/;

function charge({ budget }: CopyContext, steps: number): void {
  budget.left -= steps;
  if (budget.left < 0) throw new NotPlain();
}

function fail(): never {
  throw new NotPlain();
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
