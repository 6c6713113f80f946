import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { CatalogueChange, ChangedItem } from '@longwire/recording';
import { counted, formatCount } from '@longwire/recording/shown';
import { visibleLine, visibleText } from '../format/visible.js';
import { Line } from '../parts/plain-text.js';
import { ChangeItem } from './change-item.js';
import { textDiff, type DiffPart } from './text-diff.js';

/** Items of one kind that are listed; the filter finds the others. */
const MAX_SHOWN = 200;

/** What the catalogues gained, lost and changed. */
export function CatalogueChanges({ changes }: { changes: readonly CatalogueChange[] }) {
  return (
    <section class="changes" aria-label="Catalogues">
      <h2>Catalogues</h2>
      {changes.length === 0 && <p class="remark">No difference.</p>}
      {changes.map((change) => (
        <OneCatalogue key={`${change.server}\n${change.kind}`} change={change} />
      ))}
    </section>
  );
}

function OneCatalogue({ change }: { change: CatalogueChange }) {
  const { server, kind, gained, lost, changed } = change;
  const count = gained.length + lost.length + changed.length;
  return (
    <>
      <h3>
        <Line text={server} maxLength={60} /> · {kind}
      </h3>
      <ul>
        {changed.slice(0, MAX_SHOWN).map((item) => (
          <ChangeItem key={`≠${item.name}`} change="changed" name={item.name}>
            {item.members.slice(0, MAX_SHOWN).map((member) => (
              <MemberDiff key={member} item={item} member={member} />
            ))}
          </ChangeItem>
        ))}
        {gained.slice(0, MAX_SHOWN).map((name) => (
          <ChangeItem key={`+${name}`} change="gained" name={name} />
        ))}
        {lost.slice(0, MAX_SHOWN).map((name) => (
          <ChangeItem key={`-${name}`} change="lost" name={name} />
        ))}
      </ul>
      {Math.max(gained.length, lost.length, changed.length) > MAX_SHOWN && (
        <p class="remark">Not all {formatCount(count)} are shown. Filter to see others.</p>
      )}
    </>
  );
}

function MemberDiff({ item, member }: { item: ChangedItem; member: string }) {
  // What is closed is not compared: there may be many.
  const isOpen = useSignal(item.members.length === 1);
  const label = visibleLine(member, 80);
  return (
    <details
      open={isOpen.value}
      onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}
    >
      <summary>{label}</summary>
      {isOpen.value && (
        <Diff before={item.before[member]} after={item.after[member]} label={label} />
      )}
    </details>
  );
}

const LINE_KINDS = {
  same: { sign: ' ', word: '' },
  removed: { sign: '−', word: 'before: ' },
  added: { sign: '+', word: 'after: ' },
} as const;

function Diff({ before, after, label }: { before: unknown; after: unknown; label: string }) {
  const parts = useMemo(() => textDiff(before, after), [before, after]);
  return (
    <pre class="diff" tabIndex={0} role="region" aria-label={`What differs in ${label}`}>
      {parts.map((part, index) => (
        <Part key={index} part={part} />
      ))}
    </pre>
  );
}

function Part({ part: { kind, lines } }: { part: DiffPart }) {
  if (kind === 'skipped') {
    return <span class="diff-line diff-skipped">⋯ {counted(lines.length, 'line')} as before</span>;
  }
  const { sign, word } = LINE_KINDS[kind];
  return (
    <>
      {lines.map((line, index) => (
        <span key={index} class={`diff-line diff-${kind}`}>
          <span aria-hidden="true">{sign} </span>
          {word !== '' && <span class="unseen">{word}</span>}
          {visibleText(line)}
        </span>
      ))}
    </>
  );
}
