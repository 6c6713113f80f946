/** How well the letters of a query are found in a text, in their order; `undefined` if they are not. */
export function matchScore(query: string, text: string): number | undefined {
  const wanted = query.toLowerCase().replace(/\s+/g, '');
  const given = text.toLowerCase();
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = given.indexOf(letter, at + 1);
    if (next === -1) return undefined;
    const beginsWord = next === 0 || /[\s:/._-]/.test(given[next - 1] ?? '');
    score += next === at + 1 ? 3 : beginsWord ? 2 : 0;
    at = next;
  }
  // Of two that match alike, the shorter one is meant.
  return score - given.length / 1000;
}

/** The items whose texts match a query, the best first; all of them, in their order, without one. */
export function matching<Item>(
  query: string,
  items: readonly Item[],
  textOf: (item: Item) => string,
): Item[] {
  if (query.trim() === '') return [...items];
  return items
    .flatMap((item) => {
      const score = matchScore(query, textOf(item));
      return score === undefined ? [] : [{ item, score }];
    })
    .toSorted((one, other) => other.score - one.score)
    .map(({ item }) => item);
}
