import { formatClock, formatShortClock } from '@longwire/recording/shown';
import { filterRange } from '../state/filter.js';

/** From this length on, parts of a second say nothing. */
const LONG_MS = 10_000;

/** The time that all views are filtered by; a click removes it. */
export function TimeChip() {
  const range = filterRange.value;
  if (range === undefined) return null;
  const clock = range.to - range.from < LONG_MS ? formatClock : formatShortClock;
  const text = `${clock(range.from)} – ${clock(range.to)}`;
  return (
    <button
      type="button"
      class="time-chip"
      title="Only what happened then is shown. Click to show all."
      onClick={() => (filterRange.value = undefined)}
    >
      <span class="unseen">Show all times again, not only </span>
      {text} <span aria-hidden="true">✕</span>
    </button>
  );
}
