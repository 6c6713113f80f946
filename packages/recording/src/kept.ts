/** Adds to a list that keeps the newest; the oldest are dropped many at a time. */
export function kept<Item>(items: Item[], item: Item, max: number): Item[] {
  items.push(item);
  return items.length > max * 1.25 ? items.slice(-max) : items;
}
