import type { CallPicture } from '@longwire/recording';
import { formatRate } from '@longwire/recording/shown';
import { Line } from './plain-text.js';

/** How far a call is, as it says itself. */
export function Meter({ progress, label }: { progress: CallPicture['progress']; label: string }) {
  if (progress === undefined) return <span class="meter remark">no progress told</span>;
  const { progress: done, total, message } = progress;
  const isKnown = total !== undefined && total > 0;
  return (
    <span class="meter">
      {isKnown && (
        <progress max={total} value={Math.min(done, total)} aria-label={`Progress of ${label}`} />
      )}
      <span class="meter-text">
        {isKnown ? `${Math.round((Math.min(done, total) / total) * 100)} %` : formatRate(done)}
        {message !== undefined && (
          <>
            {' '}
            <Line text={message} maxLength={80} />
          </>
        )}
      </span>
    </span>
  );
}
