import { type ChainStep, formatClock } from '@longwire/recording/shown';
import { Line } from '../parts/plain-text.js';

/** What happened to a call, from top to bottom. */
export function ChainList({ steps }: { steps: readonly ChainStep[] }) {
  return (
    <ol class="chain" aria-label="What happened">
      {steps.map(({ sign, tone, title, why, said, at }, index) => (
        <li key={index} class={`chain-step tone-${tone}`}>
          <span class="chain-sign" aria-hidden="true">
            {sign}
          </span>
          <div>
            <p class="chain-title">
              {title}
              {at !== undefined && <time>{formatClock(at)}</time>}
            </p>
            {said !== undefined && (
              <p class="chain-said">
                <Line text={said} maxLength={400} />
              </p>
            )}
            {why !== undefined && <p class="chain-why">{why}</p>}
          </div>
        </li>
      ))}
    </ol>
  );
}
