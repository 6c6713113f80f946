import { useMemo } from 'preact/hooks';
import { formatClock, formatDuration, formatShortClock } from '@longwire/recording/shown';
import type { CallPicture } from '@longwire/recording';
import { CallPanel } from '../calls/call-panel.js';
import { Empty } from '../parts/empty.js';
import { filterRange } from '../state/filter.js';
import { feed, now, useServers } from '../state/page.js';
import { hrefOf, openView, route } from '../state/route.js';
import { Legend } from './legend.js';
import { Painter } from './painter.js';
import { follow, hold, keptFrom, shown, shownRange, timeNow, zoomBy } from './range.js';
import { TimelineCanvas } from './timeline-canvas.js';

const ZOOM = 2;
/** A task may be asked for very often. */
const MAX_OTHERS = 20;

/** What every server did in time: its connection, its calls, and what caused what. */
export function TimelineView() {
  const servers = useServers();
  const painter = useMemo(() => new Painter(), []);
  const opened = Number(route.value.parts[0] ?? Number.NaN);
  return (
    <div class={`split ${Number.isNaN(opened) ? '' : 'split-open'}`}>
      <div class="split-list timeline">
        <Tools />
        {servers.size === 0 ? (
          <Empty title="No server yet">What servers do appears here, one lane each.</Empty>
        ) : (
          <TimelineCanvas painter={painter} />
        )}
        <Legend />
        <p id="timeline-keys" class="remark timeline-keys">
          Drag to zoom, drag over the times to filter all views. Keys: <kbd>+</kbd> <kbd>−</kbd>{' '}
          zoom, <kbd>←</kbd> <kbd>→</kbd> move, <kbd>Home</kbd> begin, <kbd>End</kbd> now,{' '}
          <kbd>Space</kbd> hold, <kbd>↑</kbd> <kbd>↓</kbd> from call to call, <kbd>Enter</kbd>{' '}
          opens.
        </p>
      </div>
      {!Number.isNaN(opened) && (
        <CallPanel number={opened} onClose={() => openView('timeline')}>
          <Others calls={painter.spanOf(opened)?.calls ?? []} of={opened} />
        </CallPanel>
      )}
    </div>
  );
}

/** The other calls that are drawn as one with a call: of its task, or its rounds. */
function Others({ calls, of }: { calls: readonly CallPicture[]; of: number }) {
  if (calls.length < 2) return null;
  return (
    <p>
      Drawn as one with{' '}
      {calls
        .filter(({ call }) => call !== of)
        .slice(0, MAX_OTHERS)
        .map(({ call }, index) => (
          <span key={call}>
            {index > 0 && ', '}
            <a href={hrefOf('timeline', call)}>call {call}</a>
          </span>
        ))}
      {calls.length > MAX_OTHERS + 1 && ` and ${calls.length - MAX_OTHERS - 1} more`}
    </p>
  );
}

function Tools() {
  void now.value;
  const isReplay = feed.replay.value !== undefined;
  const isFollowing = shown.value.kind === 'follow';
  const range = shownRange(timeNow());
  const clock = range.to - range.from < 5000 ? formatClock : formatShortClock;
  const isCounted = keptFrom() > range.from;
  return (
    <header class="list-head">
      <h2>
        {formatDuration(range.to - range.from)}
        <span class="remark timeline-range number">
          {clock(range.from)} – {clock(range.to)}
          {isFollowing ? (isReplay ? ' · the whole recording' : ' · follows now') : ' · held'}
        </span>
      </h2>
      {isCounted && (
        <span class="remark wide">
          Before {formatShortClock(keptFrom())} calls are kept as counts only.
        </span>
      )}
      {!(isReplay && isFollowing) && (
        <button type="button" onClick={() => (isFollowing ? hold() : follow())}>
          {isFollowing ? 'Hold' : isReplay ? 'Show all' : 'Follow now'}
        </button>
      )}
      <span class="buttons">
        <button type="button" aria-label="Zoom out" onClick={() => zoomBy(ZOOM)}>
          −
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => zoomBy(1 / ZOOM)}>
          +
        </button>
      </span>
      <button type="button" onClick={() => (filterRange.value = { ...range })}>
        Filter all views<span class="wide"> by this time</span>
      </button>
    </header>
  );
}
