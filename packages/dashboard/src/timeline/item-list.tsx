import { keyOfItem, type PlacedItem } from './items.js';
import { textOfItem } from './item-text.js';
import { openItem } from './open-item.js';
import type { Painter } from './painter.js';
import { timeNow } from './range.js';

/** How many items are told before and behind the one that keys went to. */
const AROUND = 2;

/** What the canvas shows around the place of the keys, as text: for those who do not see it. */
export function ItemList({ painter }: { painter: Painter }) {
  void painter.told.value;
  const at = timeNow();
  const active = painter.active.value;
  const { items } = painter;
  const key = active && keyOfItem(active);
  const found = items.findIndex(({ item }) => keyOfItem(item) === key);
  const index = found === -1 ? items.length - 1 : found;
  const around = items.slice(Math.max(0, index - AROUND), index + AROUND + 1);
  return (
    <>
      {around.map((placed: PlacedItem) => {
        const { item } = placed;
        const isActive = found !== -1 && keyOfItem(item) === key;
        return (
          <div
            key={keyOfItem(item)}
            id={isActive ? 'timeline-active' : undefined}
            class="unseen"
            role="option"
            aria-selected={isActive}
            aria-posinset={items.indexOf(placed) + 1}
            aria-setsize={items.length}
            onClick={() => openItem(item)}
          >
            {textOfItem(item, at)}
          </div>
        );
      })}
    </>
  );
}
