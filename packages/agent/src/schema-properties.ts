import { isDeepStrictEqual } from 'node:util';
import { isObject } from '@longwire/client/internal';

type Schema = Record<string, unknown>;
type Found = Map<string, unknown[]>;

/**
 * Every property that a schema's root describes, itself or by `allOf`, `anyOf`, `oneOf` and local
 * `$ref`s, at any depth. The root's own properties win; then those that always apply (`allOf`), then
 * those that may (`anyOf`, `oneOf`).
 *
 * Each part of the schema is visited once, so the result is no larger than the schema.
 */
export function describedProperties(root: Schema): Record<string, unknown> {
  const seen = new Set<Schema>();
  const certain: Found = new Map();
  const possible: Found = new Map();
  const choices: unknown[] = [];

  const visit = (schema: unknown, found: Found): void => {
    if (!isObject(schema) || seen.has(schema)) return;
    seen.add(schema);
    if (schema !== root) collect(schema['properties'], found);
    visit(resolveLocal(root, schema['$ref']), found);
    for (const part of list(schema['allOf'])) visit(part, found);
    for (const key of ['anyOf', 'oneOf']) {
      for (const choice of list(schema[key])) choices.push(choice);
    }
  };
  visit(root, certain);
  // The list grows while it is read: a choice may hold further choices.
  for (const choice of choices) visit(choice, possible);

  const own = isObject(root['properties']) ? root['properties'] : {};
  const described = new Map<string, unknown>(Object.entries(own));
  for (const [name, schema] of [...joined(certain, 'allOf'), ...joined(possible, 'anyOf')]) {
    if (!described.has(name)) described.set(name, schema);
  }
  return Object.fromEntries(described);
}

function collect(properties: unknown, found: Found): void {
  if (!isObject(properties)) return;
  for (const [name, schema] of Object.entries(properties)) {
    const known = found.get(name) ?? [];
    if (!known.some((other) => isDeepStrictEqual(other, schema))) known.push(schema);
    found.set(name, known);
  }
}

function joined(found: Found, combinator: 'anyOf' | 'allOf'): [string, unknown][] {
  return [...found].map(([name, known]) => [
    name,
    known.length === 1 ? known[0] : { [combinator]: known },
  ]);
}

/** What `#` or `#/a/b` points at: https://www.rfc-editor.org/rfc/rfc6901#section-6 */
function resolveLocal(root: Schema, ref: unknown): unknown {
  if (typeof ref !== 'string' || !/^#(\/|$)/.test(ref)) return undefined;
  let at: unknown = root;
  for (const token of ref.split('/').slice(1)) {
    const key = decode(token);
    if (typeof at !== 'object' || at === null || key === undefined) return undefined;
    if (!Object.hasOwn(at, key)) return undefined;
    at = (at as Schema)[key];
  }
  return at;
}

function decode(token: string): string | undefined {
  try {
    return decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
