/** A JSON Schema object, of which nothing is certain. */
export type Schema = Readonly<Record<string, unknown>>;

/** How deep references and alternatives are followed: a schema may refer to itself. */
const maxDepth = 8;

/** The value as a schema object; `true` and what is no schema allow anything. */
export function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Schema)
    : {};
}

/**
 * The plain alternatives of a schema, in its own order: `$ref` into the same document followed,
 * `allOf` merged, `anyOf`, `oneOf` and lists of types taken apart.
 */
export function alternatives(schema: unknown, root: Schema, depth: number = 0): Schema[] {
  const plain = resolve(asSchema(schema), root);
  if (depth >= maxDepth) return [plain];
  const { anyOf, oneOf, allOf, ...rest } = plain;
  if (Array.isArray(allOf)) {
    const merged = Object.assign(
      {},
      ...allOf.map((part) => resolve(asSchema(part), root)),
    ) as Schema;
    return alternatives(
      { ...merged, ...rest, ...(anyOf !== undefined && { anyOf }) },
      root,
      depth + 1,
    );
  }
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;
  if (choices !== undefined) {
    return choices.flatMap((choice) => alternatives(choice, root, depth + 1));
  }
  if (Array.isArray(plain['type']))
    return plain['type'].map((type: unknown) => ({ ...plain, type }));
  return [plain];
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

/** The schema of one argument, or undefined where the tool does not take it. */
export function propertySchema(name: string, root: Schema): unknown {
  const properties = asSchema(root['properties']);
  if (Object.hasOwn(properties, name)) return properties[name];
  for (const [pattern, schema] of Object.entries(asSchema(root['patternProperties']))) {
    if (matches(pattern, name)) return schema;
  }
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

function matches(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(name);
  } catch {
    return false;
  }
}

function resolve(schema: Schema, root: Schema): Schema {
  let current = schema;
  for (let depth = 0; depth < maxDepth; depth++) {
    const reference = current['$ref'];
    if (typeof reference !== 'string' || !reference.startsWith('#')) return current;
    const { $ref: _, ...beside } = current;
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
