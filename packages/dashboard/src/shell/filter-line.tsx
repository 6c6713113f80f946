import { useComputed, useSignal } from '@preact/signals';
import { useId, useRef } from 'preact/hooks';
import { completions } from '@longwire/recording';
import { visibleLine } from '../format/visible.js';
import { filter, filterText } from '../state/filter.js';
import { feed } from '../state/page.js';
import { TimeChip } from './time-chip.js';

/** The filter of all views, and what can be written in it. */
export function FilterLine() {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const caret = useSignal(0);
  const isOpen = useSignal(false);
  const active = useSignal(-1);
  const offered = useComputed(() =>
    isOpen.value ? completions(filterText.value, caret.value, feed.picture) : undefined,
  );
  const list = offered.value?.completions ?? [];
  const { problems } = filter.value;

  const take = (index: number): void => {
    const element = input.current;
    const completion = list[index];
    if (offered.value === undefined || completion === undefined || element === null) return;
    const { from, to } = offered.value;
    const text = filterText.value;
    // Behind a key comes its value, behind a value the next term.
    const added = completion.text.endsWith(':') ? completion.text : `${completion.text} `;
    filterText.value = text.slice(0, from) + added + text.slice(to).trimStart();
    caret.value = from + added.length;
    active.value = -1;
    element.value = filterText.value;
    element.setSelectionRange(caret.value, caret.value);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      isOpen.value = true;
      active.value = Math.max(-1, Math.min(active.value + step, list.length - 1));
    } else if ((event.key === 'Enter' || event.key === 'Tab') && active.value >= 0) {
      take(active.value);
    } else if (event.key === 'Escape') {
      // The list closes first; what was written goes with the second Escape.
      if (isOpen.value && list.length > 0) isOpen.value = false;
      else filterText.value = '';
    } else return;
    event.preventDefault();
  };
  return (
    <form class="filter" role="search" onSubmit={(event) => event.preventDefault()}>
      <label class="unseen" htmlFor="filter">
        Filter of all views
      </label>
      <TimeChip />
      <input
        ref={input}
        id="filter"
        type="text"
        role="combobox"
        aria-expanded={list.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active.value >= 0 ? `${id}-${active.value}` : undefined}
        aria-describedby="filter-problem"
        autoComplete="off"
        spellcheck={false}
        placeholder="Filter: tool:search status:error duration:>500ms"
        value={filterText.value}
        onInput={({ currentTarget }) => {
          filterText.value = currentTarget.value;
          caret.value = currentTarget.selectionStart ?? currentTarget.value.length;
          active.value = -1;
          // Nothing is offered unasked: it would cover what is read.
          isOpen.value = currentTarget.value !== '';
        }}
        onFocus={({ currentTarget }) => {
          caret.value = currentTarget.selectionStart ?? currentTarget.value.length;
        }}
        onBlur={() => {
          isOpen.value = false;
          active.value = -1;
        }}
        onKeyDown={onKeyDown}
      />
      {filterText.value !== '' && (
        <button type="button" class="plain" onClick={() => (filterText.value = '')}>
          Clear<span class="unseen"> the filter</span>
        </button>
      )}
      <ul
        id={`${id}-list`}
        class="completions"
        role="listbox"
        aria-label="What can be written"
        hidden={list.length === 0}
      >
        {list.map(({ text, about }, index) => (
          <li
            key={text}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active.value}
            onMouseDown={(event) => {
              // The caret stays in the line.
              event.preventDefault();
              take(index);
            }}
          >
            <code>{visibleLine(text, 80)}</code>
            {about !== undefined && <span class="remark">{about}</span>}
          </li>
        ))}
      </ul>
      <span id="filter-problem" class="problem" role="status">
        {isOpen.value ? '' : (problems[0] ?? '')}
      </span>
    </form>
  );
}
