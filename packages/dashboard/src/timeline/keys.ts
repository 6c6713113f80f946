import { keyOfItem, timeOf, type Item, type PlacedItem } from './items.js';
import { openItem } from './open-item.js';
import type { Painter } from './painter.js';
import { follow, goTo, goToBegin, hold, panBy, shown, zoomBy } from './range.js';

const ZOOM = 1.5;
const PAN = 0.2;

/** Does what a key stands for in the timeline. Returns `false` for other keys. */
export function followKey(key: string, painter: Painter): boolean {
  const run = RUN[key];
  run?.(painter);
  return run !== undefined;
}

const RUN: Readonly<Record<string, (painter: Painter) => void>> = {
  '+': () => zoomBy(1 / ZOOM),
  '=': () => zoomBy(1 / ZOOM),
  '-': () => zoomBy(ZOOM),
  ArrowLeft: () => panBy(-PAN),
  ArrowRight: () => panBy(PAN),
  PageUp: () => panBy(-1),
  PageDown: () => panBy(1),
  Home: goToBegin,
  End: follow,
  ' ': () => (shown.value.kind === 'follow' ? hold() : follow()),
  ArrowDown: (painter) => goToNext(painter, 1),
  ArrowUp: (painter) => goToNext(painter, -1),
  Enter: ({ active }) => {
    if (active.value !== undefined) openItem(active.value);
  },
  Escape: ({ active }) => (active.value = undefined),
};

/** Goes to the next item in time, or the one before; what is beyond the edge is moved into view. */
function goToNext(painter: Painter, step: 1 | -1): void {
  // What is gone to does not run away.
  hold();
  const from = painter.active.value;
  let next = nextItem(painter.items, from, step);
  if (next === undefined) {
    panBy(step * PAN);
    painter.layOut();
    next = nextItem(painter.items, from, step);
  }
  if (next === undefined) return;
  painter.active.value = next;
  goTo(timeOf(next));
  painter.layOut();
}

/** The item after one of them, or before it; the last one, if there was none. */
export function nextItem(
  items: readonly PlacedItem[],
  from: Item | undefined,
  step: 1 | -1,
): Item | undefined {
  if (from === undefined) return items.at(-1)?.item;
  const key = keyOfItem(from);
  const index = items.findIndex(({ item }) => keyOfItem(item) === key);
  if (index !== -1) return items[index + step]?.item;
  const at = timeOf(from);
  return step === 1
    ? items.find(({ item }) => timeOf(item) > at)?.item
    : items.findLast(({ item }) => timeOf(item) < at)?.item;
}
