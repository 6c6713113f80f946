import { didYouMean, nameList } from '@longwire/client';

/** A JSON Schema, of which only what it says plainly of members is read. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What members may be of, beside what is read. */
const combinators = ['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'patternProperties'];

/** What has no members. */
const scalars: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean', 'null']);

/** How deep arguments are looked into. */
const maxDepth = 32;

/** Of more members than this the list is no help. */
const maxListed = 20;

/** From how many letters on a name that is near another one is taken for a misspelt one. */
const slipLength = 4;

/**
 * The schema of a member of a value, or what is wrong with looking for it; undefined: nothing is
 * known of it. A list is looked through, as expressions do. Where a schema does not forbid other
 * members, one is wrong only if it is near one that there is.
 */
export function memberOf(
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

/** The members that a schema requires and a value lacks, by their paths. */
export function missingMembers(
  schema: unknown,
  value: unknown,
  depth = 0,
): (readonly PropertyKey[])[] {
  if (!isPlain(schema) || depth > maxDepth) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      missingMembers(schema['items'], item, depth + 1).map((path) => [index, ...path]),
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
      ? missingMembers(properties[name], value[name], depth + 1).map((path) => [name, ...path])
      : [],
  );
  return [...missing, ...deeper];
}

/** A name as expressions have to write it. */
function quoted(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name}\``;
}

/** ` There are a, b.`, or nothing where there are none, or too many to help. */
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

/** Whether a schema is an object; servers list other things, too. */
export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
