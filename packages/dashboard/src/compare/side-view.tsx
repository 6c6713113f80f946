import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { counted, formatCount, formatDuration } from '@longwire/recording/shown';
import { visibleLine } from '../format/visible.js';
import { Line } from '../parts/plain-text.js';
import { feed } from '../state/page.js';
import { choose, set, type Side } from './compared.js';

/** What is compared on one side, and what else could be: a file, chosen or dropped. */
export function SideView({ title, side }: { title: string; side: Signal<Side> }) {
  const id = useId();
  const { value } = side;
  return (
    <section
      class="side"
      aria-label={title}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) choose(side, file);
      }}
    >
      <h2>{title}</h2>
      <p class="side-is" role="status">
        <SideText side={value} />
      </p>
      {value.is === 'reading' && (
        <progress value={value.share} aria-label={`Reading ${visibleLine(value.name, 80)}`} />
      )}
      <p class="buttons">
        <label class="button" htmlFor={`${id}-file`}>
          Choose a recording<span class="unseen"> for “{title}”</span>
        </label>
        <input
          id={`${id}-file`}
          class="unseen"
          type="file"
          accept=".ndjson,.jsonl,application/x-ndjson"
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            if (file !== undefined) choose(side, file);
            // The same file may be chosen again.
            currentTarget.value = '';
          }}
        />
        {value.is !== 'page' && (
          <button type="button" onClick={() => set(side, { is: 'page' })}>
            Take what is shown
          </button>
        )}
      </p>
    </section>
  );
}

function SideText({ side }: { side: Side }) {
  switch (side.is) {
    case 'nothing':
      return <span class="remark">Nothing yet. A recording can be dropped here, too.</span>;
    case 'page':
      return (
        <>
          {feed.replay.value === undefined
            ? 'What is shown: the servers as they are now'
            : 'What is shown: the replay at its time'}
        </>
      );
    case 'reading':
      return (
        <>
          Reading <Line text={side.name} maxLength={80} />
          {/* The bar tells how far it is; said aloud, each step would be too much. */}
          <span aria-hidden="true">: {Math.floor(side.share * 100)} %</span>
        </>
      );
    case 'failed':
      return (
        <span class="problem">
          <Line text={side.name} maxLength={80} />: {visibleLine(side.reason, 300)}
        </span>
      );
    case 'recording':
      return (
        <>
          <strong>
            <Line text={side.name} maxLength={80} />
          </strong>
          {`: ${counted(side.lines, 'line')}${spanOf(side)}`}
          {side.skipped > 0 && `, ${formatCount(side.skipped)} left out because they are none`}
        </>
      );
  }
}

function spanOf({ from, to }: { from: number; to: number }): string {
  return to > from ? ` in ${formatDuration(to - from)}` : '';
}
