import { didYouMean, nameList } from '@longwire/client/internal';

/** A JSON Schema, of which only plain properties are read. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Keywords that may describe properties and are not read. */
const combinators = ['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'patternProperties'];

/** Types without properties. */
const scalars: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean', 'null']);

/** How deep arguments are looked into. */
const maxDepth = 32;

/** A list of more properties than this does not help. */
const maxListed = 20;

/** From this length on, a name that is near another one counts as misspelt. */
const slipLength = 4;

/**
 * The schema of a property, or a hint why there is no such property; undefined if nothing is known.
 * Lists are searched item by item, as expressions do. If a schema allows other properties, a name is
 * wrong only if it is near a known one.
 */
export function propertyOf(
  schema: unknown,
  name: string,
): { schema: unknown; hint?: never } | { hint: string } | undefined {
  const plain = itemOf(schema);
  if (plain === undefined) return undefined;
  const { type, properties, additionalProperties } = plain;
  if (scalars.has(type)) return { hint: '' };
  if (!isSchema(properties)) return undefined;
  if (Object.hasOwn(properties, name)) {
    return properties[name] === false ? { hint: '' } : { schema: properties[name] };
  }
  const known = Object.keys(properties).filter((key) => properties[key] !== false);
  const near = name.length < slipLength ? '' : didYouMean(name, known.map(quoted));
  if (additionalProperties === false) return { hint: near || listed(known) };
  return additionalProperties === undefined && near !== '' ? { hint: near } : undefined;
}

/** The paths of properties that a schema requires and a value lacks. */
export function missingProperties(
  schema: unknown,
  value: unknown,
  depth = 0,
): (readonly PropertyKey[])[] {
  if (!isPlain(schema) || depth > maxDepth) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      missingProperties(schema['items'], item, depth + 1).map((path) => [index, ...path]),
    );
  }
  if (!isSchema(value)) return [];
  const { properties, required } = schema;
  const names = Array.isArray(required) ? (required as unknown[]) : [];
  const missing = names.flatMap((name) =>
    typeof name === 'string' && !Object.hasOwn(value, name) ? [[name]] : [],
  );
  if (!isSchema(properties)) return missing;
  const deeper = Object.keys(value).flatMap((name) =>
    Object.hasOwn(properties, name)
      ? missingProperties(properties[name], value[name], depth + 1).map((path) => [name, ...path])
      : [],
  );
  return [...missing, ...deeper];
}

/** A name as it is written in expressions. */
function quoted(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name}\``;
}

/** ` There are a, b.`, or nothing if there are none or too many. */
function listed(names: readonly string[]): string {
  if (names.length === 0 || names.length > maxListed) return '';
  return ` There are ${nameList(names.map(quoted))}.`;
}

function itemOf(schema: unknown): JsonSchema | undefined {
  let plain = schema;
  for (let depth = 0; depth < maxDepth && isPlain(plain); depth++) {
    if (plain['type'] !== 'array') return plain;
    plain = plain['items'];
  }
  return undefined;
}

function isPlain(schema: unknown): schema is JsonSchema {
  return isSchema(schema) && !combinators.some((keyword) => keyword in schema);
}

/** Whether a value is a schema object; servers list other values, too. */
export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
