import { focusFilter } from '../palette/commands.js';
import { isPaletteOpen } from '../palette/palette.js';

/** Keys that do the same everywhere: Ctrl-K opens the palette, `/` goes to the filter. */
export function followKeys(): void {
  addEventListener('keydown', (event) => {
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && !event.altKey && event.key.toLowerCase() === 'k') {
      isPaletteOpen.value = true;
    } else if (event.key === '/' && !isCommand && !event.altKey && !isTyping(event.target)) {
      focusFilter();
    } else return;
    event.preventDefault();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null
  );
}
