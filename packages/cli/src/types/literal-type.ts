import { isJsonObject } from '../json-object.js';
import { UNKNOWN, type TypeNode } from './type-node.js';

/** How long a text may be that is a type of its own. */
const maxLength = 1000;

const maxDepth = 8;

/** The type of one value alone. */
export function literalType(value: unknown, depth = 0): TypeNode {
  if (value === null || typeof value === 'boolean') return { kind: 'literal', value };
  if (typeof value === 'string') {
    return value.length > maxLength ? { kind: 'word', text: 'string' } : { kind: 'literal', value };
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? { kind: 'literal', value } : { kind: 'word', text: 'number' };
  }
  if (depth >= maxDepth) return UNKNOWN;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => ({
      type: literalType(item, depth + 1),
      isOptional: false,
    }));
    return { kind: 'tuple', items };
  }
  if (!isJsonObject(value)) return UNKNOWN;
  const members = Object.entries(value).map(([name, member]) => ({
    name,
    type: literalType(member, depth + 1),
    isOptional: false,
    comment: [],
  }));
  return { kind: 'object', members };
}
