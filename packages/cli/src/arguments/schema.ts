import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject } from '../json-object.js';
import { matchingPattern } from './validate.js';

/** A JSON Schema object. */
export type Schema = JsonObject;

/** How far references are followed: a schema may refer to itself. */
const maxDepth = 8;

/**
 * How many steps all lookups in one document may take: a short document can have a huge number of
 * alternatives.
 */
const maxSteps = 20_000;

/** How deep alternatives within alternatives are searched. */
const maxNesting = 32;

/** How many alternatives are kept: those of several parts multiply. */
const maxAlternatives = 64;

/** The value as a schema object; `true` and other values allow anything. */
export function asSchema(value: unknown): Schema {
  return isJsonObject(value) ? value : {};
}

/**
 * The schema of a tool's arguments as one object with `properties` and `required`, collected from
 * `$ref`, `allOf` and alternatives. A property is required if all alternatives require it.
 */
export function inputSchema(schema: unknown): Schema {
  const root = asSchema(schema);
  const [first = {}, ...others] = alternatives(root, root).filter(
    (plain) => (typeOf(plain) ?? 'object') === 'object',
  );
  const { $ref: _, allOf: __, anyOf: ___, oneOf: ____, ...definitions } = root;
  return { ...definitions, ...others.reduce(either, first) };
}

/**
 * The plain alternatives of a schema, in its own order: `$ref` into the same document followed,
 * `allOf` merged, `anyOf`, `oneOf` and lists of types taken apart.
 */
export function alternatives(schema: unknown, root: Schema, depth = 0): Schema[] {
  const budget = budgetOf(root);
  const { allOf, anyOf, oneOf, ...own } = resolve(asSchema(schema), root);
  if (depth > maxNesting || budget.steps-- <= 0) return [own];
  const parts = Array.isArray(allOf) ? allOf : [];
  const listed = [anyOf, oneOf].find((list) => Array.isArray(list)) as unknown[] | undefined;
  const choices = listed?.slice(0, maxAlternatives);
  let plains: Schema[] = [own];
  for (const options of [...parts.map((part: unknown) => [part]), ...(choices ? [choices] : [])]) {
    if (budget.steps <= 0) break;
    const resolved = options
      .flatMap((option) => alternatives(option, root, depth + 1))
      .slice(0, maxAlternatives);
    plains = plains.slice(0, Math.ceil(maxAlternatives / resolved.length)).flatMap((plain) => {
      // The cost is what is copied.
      budget.steps -= resolved.length * (1 + (propertyCount(plain) >> 4));
      return resolved.map((option) => both(plain, option));
    });
    plains.length = Math.min(plains.length, maxAlternatives);
  }
  return plains.flatMap((plain) =>
    Array.isArray(plain['type'])
      ? plain['type'].map((type: unknown) => ({ ...plain, type }))
      : [plain],
  );
}

const budgets = new WeakMap<Schema, { steps: number }>();

function budgetOf(root: Schema): { steps: number } {
  const budget = budgets.get(root) ?? { steps: maxSteps };
  budgets.set(root, budget);
  return budget;
}

function propertyCount(schema: Schema): number {
  return Object.keys(asSchema(schema['properties'])).length;
}

/** The schema of values that match both. */
function both(a: Schema, b: Schema): Schema {
  return {
    ...a,
    ...b,
    ...('properties' in a && 'properties' in b && { properties: merged(a, b, both) }),
    ...('required' in a && { required: [...new Set([...requiredNames(a), ...requiredNames(b)])] }),
  };
}

/** The schema of values that match either, as far as names of arguments go. */
function either(a: Schema, b: Schema): Schema {
  const alsoRequired = new Set(requiredNames(b));
  const required = requiredNames(a).filter((name) => alsoRequired.has(name));
  const isClosed = [a, b].every((schema) => schema['additionalProperties'] === false);
  const { additionalProperties: _, ...rest } = { ...a, ...b };
  return {
    ...rest,
    ...(isClosed && { additionalProperties: false }),
    properties: merged(a, b, (one, other) => ({ anyOf: [one, other] })),
    required,
  };
}

function merged(a: Schema, b: Schema, join: (one: Schema, other: Schema) => Schema): Schema {
  const [one, other] = [asSchema(a['properties']), asSchema(b['properties'])];
  const shared = Object.keys(one).filter((name) => Object.hasOwn(other, name));
  return {
    ...one,
    ...other,
    ...Object.fromEntries(
      shared
        .filter((name) => !isDeepStrictEqual(one[name], other[name]))
        .map((name) => [name, join(asSchema(one[name]), asSchema(other[name]))]),
    ),
  };
}

/** The type that a plain schema names or, without a name, implies. */
export function typeOf(schema: Schema): string | undefined {
  if (typeof schema['type'] === 'string') return schema['type'];
  if ('properties' in schema) return 'object';
  if ('items' in schema || 'prefixItems' in schema) return 'array';
  return undefined;
}

/** The type of an argument in a few words, for lists and messages: `string`, `integer or null`. */
export function describeType(schema: unknown, root: Schema): string {
  const names = alternatives(schema, root).map((plain) => {
    const values = allowedValues(plain);
    if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' | ');
    if (typeOf(plain) !== 'array') return typeOf(plain) ?? 'any';
    return `${describeItems(plain, root)}[]`;
  });
  return [...new Set(names)].join(' or ');
}

/** The values of `enum` or `const`, if the schema has one. */
export function allowedValues(schema: Schema): readonly unknown[] | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum'];
  return 'const' in schema ? [schema['const']] : undefined;
}

/** The schema of one argument, or undefined if the tool does not take it. */
export async function propertySchema(name: string, root: Schema): Promise<unknown> {
  const properties = asSchema(root['properties']);
  if (Object.hasOwn(properties, name)) return properties[name];
  const patterns = asSchema(root['patternProperties']);
  const pattern = await matchingPattern(Object.keys(patterns), name);
  if (pattern !== undefined) return patterns[pattern];
  return root['additionalProperties'] === false ? undefined : (root['additionalProperties'] ?? {});
}

/** The names that the tool must be given. */
export function requiredNames(root: Schema): string[] {
  const required = root['required'];
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
}

function describeItems(plain: Schema, root: Schema): string {
  const items = alternatives(plain['items'], root).map((item) => typeOf(item) ?? 'any');
  return items.length === 1 ? (items[0] ?? 'any') : `(${[...new Set(items)].join(' or ')})`;
}

/** A schema without `$ref`; the references that were followed are added to `followed`. */
export function resolve(schema: Schema, root: Schema, followed: string[] = []): Schema {
  let current = schema;
  for (let depth = 0; depth < maxDepth; depth++) {
    const reference = current['$ref'];
    if (typeof reference !== 'string' || !reference.startsWith('#')) return current;
    const { $ref: _, ...beside } = current;
    followed.push(reference);
    current = { ...lookUp(reference, root), ...beside };
  }
  return current;
}

/** A JSON Pointer into the same document: https://www.rfc-editor.org/rfc/rfc6901 */
function lookUp(reference: string, root: Schema): Schema {
  let current: unknown = root;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    current = asSchema(current)[key];
  }
  return asSchema(current);
}
