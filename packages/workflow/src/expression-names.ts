/** A name that an expression begins with. */
export interface FreeName {
  name: string;
  /** Where it begins, from 0. */
  offset: number;
}

/** The parts of a node that see what the whole expression sees; in others, names are of data. */
const sameContext = [
  'lhs',
  'rhs',
  'expression',
  'expressions',
  'arguments',
  'procedure',
  'condition',
  'then',
  'else',
] as const;

/**
 * The names that an expression looks up in what it is given, as `event` in `event.data.price`, by
 * the syntax tree of the library. Those within filters and functions are not among them.
 */
export function freeNames(node: unknown): FreeName[] {
  if (Array.isArray(node)) return node.flatMap(freeNames);
  if (typeof node !== 'object' || node === null) return [];
  const tree = node as Record<string, unknown>;
  if (tree['type'] === 'path' && Array.isArray(tree['steps'])) {
    const [first] = tree['steps'] as Record<string, unknown>[];
    return first?.['type'] === 'name' ? [nameOf(first)] : freeNames(first);
  }
  return sameContext.flatMap((part) => freeNames(tree[part]));
}

/** The position is that of the end. */
function nameOf({ value, position }: Record<string, unknown>): FreeName {
  const name = String(value);
  return { name, offset: Math.max(0, Number(position) - name.length) };
}
