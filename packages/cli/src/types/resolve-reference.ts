import { isJsonObject } from '../json-object.js';
import type { Schema } from '../arguments/schema.js';

/** What a reference leads to. */
export interface Referred {
  readonly schema: unknown;
  /** The document in which references of that schema are looked up. */
  readonly root: Schema;
  /** The last name on the way there; empty for the whole document. */
  readonly name: string;
}

/** How many parts a pointer may have. */
const maxParts = 64;

/**
 * Follows a `$ref` within a document: a JSON Pointer (RFC 6901), an anchor, or the `$id` of a definition.
 * `undefined` for any other: nothing is ever fetched.
 */
export function resolveReference(reference: string, root: Schema): Referred | undefined {
  const id = root['$id'];
  const within =
    typeof id === 'string' && id !== '' && reference.startsWith(id)
      ? reference.slice(id.length)
      : reference;
  if (within === '' || within === '#') return { schema: root, root, name: '' };
  if (within.startsWith('#/')) return followPointer(within.slice(2).split('/'), root);
  return definitionsOf(root).find(({ schema }) => {
    if (!isJsonObject(schema)) return false;
    const anchor = schema['$anchor'];
    return schema['$id'] === within || (typeof anchor === 'string' && `#${anchor}` === within);
  });
}

function followPointer(parts: readonly string[], root: Schema): Referred | undefined {
  if (parts.length > maxParts) return undefined;
  let current: unknown = root;
  let base = root;
  let name = '';
  for (const part of parts) {
    name = unescaped(part);
    if (Array.isArray(current)) current = current[Number(name)];
    else if (isJsonObject(current) && Object.hasOwn(current, name)) current = current[name];
    else return undefined;
    if (isJsonObject(current) && isDocument(current)) base = current;
  }
  return typeof current === 'boolean' || isJsonObject(current)
    ? { schema: current, root: base, name }
    : undefined;
}

/** Whether a schema is a document of its own: references in it begin there. */
export function isDocument(schema: Schema): boolean {
  return typeof schema['$id'] === 'string' && !schema['$id'].startsWith('#');
}

function definitionsOf(root: Schema): Referred[] {
  return ['$defs', 'definitions'].flatMap((table) => {
    const definitions = root[table];
    if (!isJsonObject(definitions)) return [];
    return Object.entries(definitions).map(([name, schema]) => ({
      schema,
      root: isJsonObject(schema) && isDocument(schema) ? schema : root,
      name,
    }));
  });
}

function unescaped(part: string): string {
  const plain = part.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
