import type { AuthorizationLine, StatePicture } from '@longwire/recording';
import type { TimeRange } from '../state/filter.js';
import type { Bin } from './density.js';
import type { DrawnLane, Layout, Place } from './layout.js';
import { beginOf, endOf, lastOf, type CallSpan } from './spans.js';

/** Something of the timeline that a person can point at, or go to by keys. */
export type Item =
  | { readonly kind: 'span'; readonly server: string; readonly span: CallSpan }
  | { readonly kind: 'state'; readonly server: string; readonly state: StatePicture }
  | {
      readonly kind: 'authorization';
      readonly server: string;
      readonly authorization: AuthorizationLine;
    }
  | { readonly kind: 'bin'; readonly server: string; readonly bin: Bin };

/** An item, and where it is. */
export interface PlacedItem {
  readonly item: Item;
  readonly place: Place;
}

/** How far beside an item one may point, in pixels. */
const NEAR_PX = 4;

/** What is at a place: the nearest, if it is near enough. */
export function itemAt(layout: Layout, x: number, y: number): PlacedItem | undefined {
  const lane = layout.lanes.find(({ top, height }) => y >= top && y < top + height);
  if (lane === undefined) return undefined;
  let found: PlacedItem | undefined;
  let least = NEAR_PX;
  for (const placed of itemsOfLane(lane)) {
    const { place } = placed;
    if (y < place.y - 1 || y > place.y + place.height + 1) continue;
    const away = Math.max(place.x - x, x - place.x - place.width, 0);
    if (away > least || (found !== undefined && away === least)) continue;
    [found, least] = [placed, away];
  }
  return found;
}

/** Everything that can be gone to, in the order of time; what does not fit the filter is left out. */
export function itemsInOrder({ lanes }: Layout): PlacedItem[] {
  return lanes
    .flatMap((lane) => [...itemsOfLane(lane)])
    .sort((a, b) => timeOf(a.item) - timeOf(b.item) || a.place.y - b.place.y);
}

/** When an item began. */
export function timeOf(item: Item): number {
  return rangeOfItem(item, 0).from;
}

/** From when to when an item is. */
export function rangeOfItem(item: Item, now: number): TimeRange {
  switch (item.kind) {
    case 'span':
      return { from: beginOf(item.span), to: endOf(item.span, now) };
    case 'state':
      return { from: item.state.from, to: Math.max(item.state.from, item.state.to ?? now) };
    case 'authorization': {
      const { at, durationMs } = item.authorization;
      return { from: at - durationMs, to: at };
    }
    case 'bin':
      return item.bin;
  }
}

/** What an item is called as long as it is there. */
export function keyOfItem(item: Item): string {
  switch (item.kind) {
    case 'span':
      return `call-${item.span.calls[0]?.call ?? ''}`;
    case 'state':
      return JSON.stringify(['state', item.server, item.state.from, item.state.state]);
    case 'authorization':
      return JSON.stringify(['authorization', item.server, item.authorization.at]);
    case 'bin':
      return JSON.stringify(['bin', item.server, item.bin.from, item.bin.to]);
  }
}

/** The call that an item opens. */
export function callOfItem(item: Item): number | undefined {
  return item.kind === 'span' ? lastOf(item.span).call : undefined;
}

function* itemsOfLane({
  server: { name },
  states,
  authorizations,
  spans,
  bins,
}: DrawnLane): Iterable<PlacedItem> {
  for (const place of spans) {
    const { span } = place;
    if (!place.isDimmed) yield { item: { kind: 'span', server: name, span }, place };
  }
  for (const place of states) {
    yield { item: { kind: 'state', server: name, state: place.state }, place };
  }
  for (const place of authorizations) {
    const { authorization } = place;
    yield { item: { kind: 'authorization', server: name, authorization }, place };
  }
  for (const place of bins) yield { item: { kind: 'bin', server: name, bin: place.bin }, place };
}
