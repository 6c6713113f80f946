import { intersectionOf, UNKNOWN, type NamedType, type TypeNode } from './type-node.js';

/** How many alternatives a type may come to: the compiler multiplies those of an intersection. */
const maxAlternatives = 2000;

/**
 * Makes types that the compiler takes out of those that schemas say. A definition that is nothing but
 * itself becomes `unknown`, and so do parts of an intersection of too many alternatives. Returns the types
 * in the same order.
 */
export function settleTypes(types: readonly TypeNode[], named: readonly NamedType[]): TypeNode[] {
  const inOrder = cutLoops(named);
  const counts = new Map<NamedType, number>();
  for (const type of inOrder) {
    type.body = bounded(type.body, counts);
    counts.set(type, alternativesOf(type.body, counts));
  }
  return types.map((type) => bounded(type, counts));
}

/** What a type consists of itself, in all its alternatives: not what its members are. */
function directNames(type: TypeNode): NamedType[] {
  if (type.kind === 'named') return [type.type];
  return type.kind === 'union' || type.kind === 'intersection' ? type.of.flatMap(directNames) : [];
}

/**
 * Takes those apart that would be themselves: `A = A | string`. Returns all, each after those that it
 * consists of.
 */
function cutLoops(named: readonly NamedType[]): NamedType[] {
  const below = new Map(named.map((type) => [type, new Set(directNames(type.body))]));
  const above = new Map(named.map((type) => [type, [] as NamedType[]]));
  for (const [type, parts] of below) for (const part of parts) above.get(part)?.push(type);
  const inOrder: NamedType[] = [];
  const take = (ready: NamedType[]): void => {
    for (let type = ready.pop(); type !== undefined; type = ready.pop()) {
      inOrder.push(type);
      for (const user of above.get(type) ?? []) {
        const parts = below.get(user);
        if (parts?.delete(type) === true && parts.size === 0) ready.push(user);
      }
    }
  };
  take(named.filter((type) => below.get(type)?.size === 0));
  // What is left consists of itself, or leads there: one of them is cut, until nothing is left.
  const taken = (): Set<NamedType> => new Set(inOrder);
  for (let done = taken(); done.size < named.length; done = taken()) {
    const looping = inLoop(named.find((type) => !done.has(type)) as NamedType, below);
    looping.body = UNKNOWN;
    looping.comment = [...looping.comment, 'It refers to nothing but itself.'];
    below.get(looping)?.clear();
    take([looping]);
  }
  return inOrder;
}

/** A type of the loop that one goes into. */
function inLoop(
  start: NamedType,
  below: ReadonlyMap<NamedType, ReadonlySet<NamedType>>,
): NamedType {
  const seen = new Set<NamedType>();
  let type = start;
  while (!seen.has(type)) {
    seen.add(type);
    const [next = type] = below.get(type) ?? [];
    type = next;
  }
  return type;
}

function alternativesOf(type: TypeNode, counts: ReadonlyMap<NamedType, number>): number {
  if (type.kind === 'named') return counts.get(type.type) ?? 1;
  const of = (): number[] =>
    type.kind === 'union' || type.kind === 'intersection'
      ? type.of.map((part) => alternativesOf(part, counts))
      : [];
  if (type.kind === 'union') return of().reduce((sum, count) => sum + count, 0);
  return of().reduce((product, count) => product * count, 1);
}

/** The same type without what would come to too many alternatives. */
function bounded(type: TypeNode, counts: ReadonlyMap<NamedType, number>): TypeNode {
  switch (type.kind) {
    case 'array':
      return { ...type, items: bounded(type.items, counts) };
    case 'tuple': {
      const items = type.items.map((item) => ({ ...item, type: bounded(item.type, counts) }));
      return { ...type, items, ...(type.rest && { rest: bounded(type.rest, counts) }) };
    }
    case 'object': {
      const members = type.members.map((one) => ({ ...one, type: bounded(one.type, counts) }));
      const others = type.others && { ...type.others, type: bounded(type.others.type, counts) };
      return { ...type, members, ...(others && { others }) };
    }
    case 'union': {
      const of = type.of.map((part) => bounded(part, counts));
      return alternativesOf({ ...type, of }, counts) > maxAlternatives ? UNKNOWN : { ...type, of };
    }
    case 'intersection': {
      let product = 1;
      const kept = type.of
        .map((part) => bounded(part, counts))
        .filter((part) => {
          const count = alternativesOf(part, counts);
          if (product * count > maxAlternatives) return false;
          product *= count;
          return true;
        });
      return intersectionOf(kept);
    }
    default:
      return type;
  }
}
