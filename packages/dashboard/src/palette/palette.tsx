import { signal, useComputed, useSignal } from '@preact/signals';
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks';
import { visibleLine } from '../format/visible.js';
import { commandsOf, type Command } from './commands.js';
import { matching } from './match.js';

/** Whether the palette of commands is open. */
export const isPaletteOpen = signal(false);

/** Commands that are shown at once. */
const MAX_SHOWN = 50;

/** Everything that can be done, found by a few letters. */
export function Palette() {
  return isPaletteOpen.value ? <OpenPalette /> : null;
}

function OpenPalette() {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const query = useSignal('');
  const active = useSignal(0);
  const all = useSignal(commandsOf());
  const found = useComputed(() =>
    matching(query.value, all.value, ({ title, hint }) => `${title} ${hint}`).slice(0, MAX_SHOWN),
  );
  // Before the next key comes, which is meant for it.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    document.getElementById(`${id}-${active.value}`)?.scrollIntoView({ block: 'nearest' });
  }, [active.value]);

  const close = (): void => {
    dialog.current?.close();
    isPaletteOpen.value = false;
  };
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    // First closed: the focus that closing gives back is not to undo what the command does to it.
    close();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      const count = found.value.length;
      active.value = count === 0 ? 0 : (active.value + step + count) % count;
    } else if (event.key === 'Enter') run(found.value[active.value]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label="Commands"
      onClose={() => (isPaletteOpen.value = false)}
      onClick={(event) => {
        if (event.target === event.currentTarget) close();
      }}
    >
      <input
        type="text"
        role="combobox"
        aria-label="Find a command"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found.value.length > 0 ? `${id}-${active.value}` : undefined}
        autoComplete="off"
        spellcheck={false}
        placeholder="Find a command: a view, a tool, a server"
        value={query.value}
        onInput={({ currentTarget }) => {
          query.value = currentTarget.value;
          active.value = 0;
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label="Commands">
        {found.value.map((command, index) => (
          <li
            key={`${command.title}\n${command.hint}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active.value}
            onClick={() => run(command)}
          >
            <span>{visibleLine(command.title, 80)}</span>
            <span class="remark">{visibleLine(command.hint, 40)}</span>
          </li>
        ))}
      </ul>
      {found.value.length === 0 && <p class="remark">No command is called so.</p>}
    </dialog>
  );
}
