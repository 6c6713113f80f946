import { formatShortClock } from '@longwire/recording/shown';
import { feed } from '../state/page.js';

/** Whether the page shows what happens now, in the head of the page. */
export function LivenessMark() {
  const { state, since } = feed.liveness.value;
  if (state === 'connecting') return <span class="mark tone-busy">◔ connecting</span>;
  if (state === 'not-live') {
    return <span class="mark tone-bad">◌ not live since {formatShortClock(since)}</span>;
  }
  return feed.replay.value === undefined ? (
    <span class="mark tone-good">● live</span>
  ) : (
    <span class="mark tone-busy">▶ replay</span>
  );
}

/** What stands over every view while it is not what happens now. */
export function NotLive() {
  const liveness = feed.liveness.value;
  return (
    <div role="status">
      {liveness.state === 'not-live' && (
        <p class="not-live">
          <span>
            <strong>Not live.</strong> What you see is from {formatShortClock(liveness.since)}.{' '}
            {liveness.why}
          </span>
          <button type="button" onClick={() => feed.reopen(liveness.why)}>
            Try now
          </button>
        </p>
      )}
    </div>
  );
}
