import type { Schema } from '../arguments/schema.js';
import type { TupleNode, TypeNode } from './type-node.js';

/** How many items a tuple has at most; more are a list. */
const maxItems = 100;

/**
 * The type of a list whose first items have schemas of their own: `prefixItems`, or `items` as a list, as
 * versions before 2020-12 have it. `undefined` for any other list.
 */
export function tupleOf(
  schema: Schema,
  typeOf: (item: unknown) => TypeNode,
): TupleNode | undefined {
  const isNew = Array.isArray(schema['prefixItems']);
  const first: unknown = isNew ? schema['prefixItems'] : schema['items'];
  if (!Array.isArray(first) || first.length === 0 || first.length > maxItems) return undefined;
  const others: unknown = isNew ? schema['items'] : schema['additionalItems'];
  const least = typeof schema['minItems'] === 'number' ? schema['minItems'] : 0;
  const most = typeof schema['maxItems'] === 'number' ? schema['maxItems'] : Infinity;
  const items = first.map((item: unknown, index) => ({
    type: typeOf(item),
    isOptional: index >= least,
  }));
  const mayHaveMore = others !== false && most > items.length;
  return { kind: 'tuple', items, ...(mayHaveMore && { rest: typeOf(others ?? true) }) };
}
