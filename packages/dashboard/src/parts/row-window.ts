/** Which rows of a long list are drawn, and where the first of them is. */
export interface RowWindow {
  readonly first: number;
  /** The row after the last one that is drawn. */
  readonly end: number;
  /** How far the first one is from the top of the list, in pixels. */
  readonly top: number;
  /** How high the whole list is, in pixels. */
  readonly height: number;
}

/** The tallest element that every browser lays out exactly, with room to spare, in pixels. */
const MAX_HEIGHT = 8_000_000;

/**
 * The rows that a scrolled view shows, with some more at both ends. What is too tall for a browser is
 * cut: its last rows are reached with the filter.
 */
export function rowWindow(options: {
  readonly count: number;
  readonly rowHeight: number;
  readonly scrollTop: number;
  readonly viewHeight: number;
  readonly more?: number;
}): RowWindow {
  const { count, rowHeight, scrollTop, viewHeight, more = 6 } = options;
  const shown = Math.min(count, Math.floor(MAX_HEIGHT / rowHeight));
  const from = Math.floor(Math.max(0, scrollTop) / rowHeight) - more;
  const visible = Math.ceil(viewHeight / rowHeight) + 2 * more;
  const first = Math.max(0, Math.min(from, shown - visible));
  const end = Math.min(shown, first + visible);
  return { first, end, top: first * rowHeight, height: shown * rowHeight };
}

/** Where a list has to be scrolled so that a row is in view; the same where it is. */
export function scrolledTo(
  row: number,
  {
    rowHeight,
    scrollTop,
    viewHeight,
  }: { readonly rowHeight: number; readonly scrollTop: number; readonly viewHeight: number },
): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  return Math.max(scrollTop, top + rowHeight - viewHeight);
}
