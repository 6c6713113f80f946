/** How many characters of what waits name its principal, and how many its place in time. */
const WHO = 22;
const SEQ = 16;

/** What waits, in the order in which it would get slots if nobody else came or left. */
export function inTurns(turns: readonly string[], waiting: readonly string[]): string[] {
  const byPrincipal = new Map<string, string[]>(turns.map((who) => [who, []]));
  for (const member of waiting) {
    byPrincipal.get(member.slice(0, WHO))?.push(member.slice(WHO + SEQ));
  }
  const rounds = [...byPrincipal.values()];
  const order: string[] = [];
  for (let round = 0; order.length < waiting.length; round++) {
    const before = order.length;
    for (const ids of rounds) {
      const id = ids[round];
      if (id !== undefined) order.push(id);
    }
    if (order.length === before) break;
  }
  return order;
}
