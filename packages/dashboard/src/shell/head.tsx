import { isPaletteOpen } from '../palette/palette.js';
import { hrefOf, route, VIEW_TITLES, VIEWS } from '../state/route.js';
import { nextTheme, theme } from '../state/theme.js';
import { FilterLine } from './filter-line.js';
import { LivenessMark } from './liveness.js';

const THEME_SIGNS = { auto: '◐', light: '☀', dark: '☾' } as const;

/** The head of the page: whether it is live, the views, the filter. */
export function Head() {
  const { view } = route.value;
  return (
    <header class="head">
      <p class="brand">
        <strong>Longwire</strong> <LivenessMark />
      </p>
      <nav class="views" aria-label="Views">
        {VIEWS.map((one) => (
          <a key={one} href={hrefOf(one)} aria-current={one === view ? 'page' : undefined}>
            {VIEW_TITLES[one]}
          </a>
        ))}
      </nav>
      <FilterLine />
      <div class="head-buttons">
        <button
          type="button"
          aria-label={`Theme: ${theme.value}. Change it`}
          title={`Theme: ${theme.value}`}
          onClick={nextTheme}
        >
          {THEME_SIGNS[theme.value]}
        </button>
        <button
          type="button"
          aria-keyshortcuts="Control+K"
          title="Commands (Ctrl-K)"
          onClick={() => (isPaletteOpen.value = true)}
        >
          ⌘<span class="wide"> Ctrl-K</span>
          <span class="unseen">Commands</span>
        </button>
      </div>
    </header>
  );
}
