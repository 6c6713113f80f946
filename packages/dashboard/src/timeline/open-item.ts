import { openView } from '../state/route.js';
import { callOfItem, rangeOfItem, type Item } from './items.js';
import { hold, timeNow } from './range.js';

/** Opens what an item is of: the panel of its call, or its time. */
export function openItem(item: Item): void {
  const call = callOfItem(item);
  if (call !== undefined) return openView('timeline', call);
  const { from, to } = rangeOfItem(item, timeNow());
  const pad = (to - from) * 0.2;
  hold({ from: from - pad, to: to + pad });
}
