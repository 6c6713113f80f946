/** The lists, from top to bottom. */
export const PANES = ['servers', 'calls', 'events'] as const;

/** Which list. */
export type PaneName = (typeof PANES)[number];

/** A list on the screen, and how many rows it has below its head. */
export type PlacedPane = readonly [pane: PaneName, height: number];

/** Lists with fewer rows than that say nothing. */
const LEAST_HEIGHT = 2;
/** From so many rows on there is a blank line between lists. */
const ROOMY = 30;
const SERVERS_SHARE = 0.35;

/** Whether lists are apart. */
export function isRoomy(rows: number): boolean {
  return rows >= ROOMY;
}

/**
 * Which lists have room in so many rows, heads and blank lines included. Servers get what they need, up
 * to a third; calls and events share the rest. Where there is room for one list, it is the focused one.
 */
export function placePanes(
  rows: number,
  options: { servers: number; focused: PaneName; isZoomed: boolean },
): PlacedPane[] {
  const { servers, focused, isZoomed } = options;
  const gaps = isRoomy(rows) ? PANES.length - 1 : 0;
  const room = rows - PANES.length - gaps;
  if (isZoomed || room < PANES.length * LEAST_HEIGHT) return [[focused, Math.max(0, rows - 1)]];
  const ofServers = Math.min(Math.max(1, servers), Math.floor(room * SERVERS_SHARE));
  const ofCalls = Math.ceil((room - ofServers) / 2);
  return [
    ['servers', ofServers],
    ['calls', ofCalls],
    ['events', room - ofServers - ofCalls],
  ];
}
