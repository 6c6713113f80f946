import { formatDuration, formatShortClock } from '@longwire/recording/shown';
import { CommandButton } from '../parts/command-button.js';
import { Line } from '../parts/plain-text.js';
import { ask } from '../state/api.js';
import { filterText } from '../state/filter.js';
import { feed } from '../state/page.js';

const SPEEDS = [0.5, 1, 2, 5, 10, 60] as const;

/** Where a replay is, and what moves it. */
export function ReplayBar() {
  const replay = feed.replay.value;
  if (replay === undefined) return null;
  const { from, to, at, speed, playing, file, read } = replay;
  const set = (change: object): void => {
    ask('POST', 'replay', change).catch(() => {
      // The bar shows where the replay is: it has not moved.
    });
  };
  return (
    <section class="replay" aria-label="Replay">
      <button type="button" onClick={() => set({ playing: !playing })}>
        {playing ? 'Pause' : 'Play'}
      </button>
      <input
        type="range"
        aria-label="Time of the replay"
        aria-valuetext={formatShortClock(at)}
        min={from}
        max={to}
        value={at}
        onChange={({ currentTarget }) => set({ at: Number(currentTarget.value) })}
      />
      <span class="number">
        {formatShortClock(at)} · {formatDuration(at - from)} of {formatDuration(to - from)}
      </span>
      <label>
        <span class="unseen">Speed</span>
        <select
          value={String(speed)}
          onChange={({ currentTarget }) => set({ speed: Number(currentTarget.value) })}
        >
          {SPEEDS.map((one) => (
            <option key={one} value={String(one)}>
              {one} ×
            </option>
          ))}
        </select>
      </label>
      {filterText.value.trim() !== '' && (
        <CommandButton run={() => ask('POST', 'replay', { next: filterText.value })}>
          Next match
        </CommandButton>
      )}
      <span class="remark">
        {read !== undefined && `${Math.floor(read * 100)} % read · `}
        <Line text={file} maxLength={80} />
      </span>
    </section>
  );
}
