import { useRef } from 'preact/hooks';

/** A list as it was when it was held, and how many came since. */
export interface HeldList<Item> {
  readonly count: number;
  readonly missed: number;
  /** The newest is at 0. */
  readonly at: (index: number) => Item | undefined;
}

/**
 * The list of now; while it is held, that of the time when it was. Nothing is copied. `of` says what the
 * list is of, such as a filter: with another one, the list is another.
 */
export function useHeldList<Item>(
  items: readonly Item[],
  isHeld: boolean,
  of: unknown,
): HeldList<Item> {
  const held = useRef({ items, count: items.length, of });
  if (!isHeld || held.current.of !== of) held.current = { items, count: items.length, of };
  const { items: kept, count } = held.current;
  return {
    count,
    missed: isHeld ? missedSince(items, kept[count - 1]) : 0,
    at: (index) => kept[count - 1 - index],
  };
}

/** How many items of a list come after one of them; all, if that one is gone. */
export function missedSince<Item>(items: readonly Item[], last: Item | undefined): number {
  return items.length - 1 - (last === undefined ? -1 : items.lastIndexOf(last));
}
