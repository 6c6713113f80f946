import type { ComponentChildren } from 'preact';
import { Line } from '../parts/plain-text.js';

/** Signs and colours for what became of something. */
const CHANGES = {
  gained: { sign: '+', tone: 'good' },
  lost: { sign: '−', tone: 'bad' },
  changed: { sign: '≠', tone: 'warning' },
} as const;

/** Something that was gained, lost or changed. */
export function ChangeItem({
  change,
  name,
  children,
}: {
  change: keyof typeof CHANGES;
  name: string;
  children?: ComponentChildren;
}) {
  const { sign, tone } = CHANGES[change];
  return (
    <li class="change">
      <span class={`mark tone-${tone}`}>
        <span class="mark-sign" aria-hidden="true">
          {sign}
        </span>
        {change}
      </span>
      <div class="change-what">
        <strong>
          <Line text={name} maxLength={120} />
        </strong>
        {children}
      </div>
    </li>
  );
}
