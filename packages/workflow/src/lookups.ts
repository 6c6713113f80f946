/** A name in a path of an expression. */
export interface LookupName {
  name: string;
  /** Where it begins in the expression, from 0. */
  offset: number;
}

/**
 * What an expression looks up in its input: the names that a path begins with, as `event`, `data` and
 * `price` in `event.data.price[0]`. Empty: the whole input.
 */
export type Lookup = readonly LookupName[];

/** The parts of a node with the same context; in other parts, names refer to data. */
const sameContext: ReadonlySet<string> = new Set([
  'lhs',
  'rhs',
  'expression',
  'expressions',
  'arguments',
  'procedure',
  'condition',
  'then',
  'else',
  'body',
]);

type Node = Record<string, unknown>;

/**
 * What an expression looks up in its input, by the syntax tree of the library. Names within filters
 * refer to data and do not count; `$$` is the input everywhere.
 */
export function lookupsOf(node: unknown, isRoot = true): Lookup[] {
  if (Array.isArray(node)) return node.flatMap((part) => lookupsOf(part, isRoot));
  if (typeof node !== 'object' || node === null) return [];
  const tree = node as Node;
  if (tree['type'] === 'path' && Array.isArray(tree['steps'])) {
    const steps = tree['steps'] as Node[];
    const own = pathOf(steps, isRoot);
    const [first, ...others] = steps;
    return [
      ...(own === undefined ? lookupsOf(first, isRoot) : [own, ...partsOf(first ?? {}, false)]),
      ...others.flatMap((step) => lookupsOf(step, false)),
      ...lookupsOf(tree['group'], false),
    ];
  }
  if (isGiven(tree, isRoot)) return [[], ...partsOf(tree, isRoot)];
  return partsOf(tree, isRoot);
}

function partsOf(tree: Node, isRoot: boolean): Lookup[] {
  // In `{ name: value }` of a path each is about its data; the list itself has no context.
  return Object.entries(tree).flatMap(([part, value]) =>
    lookupsOf(value, isRoot && sameContext.has(part)),
  );
}

/** The names that a path begins with, if it starts at the input of the expression. */
function pathOf(steps: readonly Node[], isRoot: boolean): Lookup | undefined {
  const [first] = steps;
  if (first === undefined) return undefined;
  const isVariable = isGiven(first, isRoot);
  if (!isVariable && !(isRoot && first['type'] === 'name')) return undefined;
  const names: LookupName[] = [];
  for (const step of isVariable ? steps.slice(1) : steps) {
    if (step['type'] !== 'name') break;
    names.push(nameOf(step));
    // `@` binds what was found, and continues from where it was.
    if (step['focus'] !== undefined) break;
  }
  return names;
}

/** `$$`, and `$` outside all paths and filters. */
function isGiven({ type, value }: Node, isRoot: boolean): boolean {
  return type === 'variable' && (value === '$' || (value === '' && isRoot));
}

/** The position is that of the end. */
function nameOf({ value, position }: Node): LookupName {
  const name = String(value);
  return { name, offset: Math.max(0, Number(position) - name.length) };
}
