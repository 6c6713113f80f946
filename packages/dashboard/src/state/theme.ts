import { computed, effect, signal } from '@preact/signals';

const THEMES = ['auto', 'light', 'dark'] as const;

/** Light, dark, or as the system is. */
export type Theme = (typeof THEMES)[number];

const KEY = 'longwire-theme';

/** What the person chose; kept in this browser. */
export const theme = signal<Theme>(stored());

const system = globalThis.matchMedia?.('(prefers-color-scheme: dark)');
const isSystemDark = signal(system?.matches ?? false);

/** Whether the page is dark now. What is drawn on a canvas is drawn again when it changes. */
export const isDark = computed(() =>
  theme.value === 'auto' ? isSystemDark.value : theme.value === 'dark',
);

/** Makes the page look as was chosen. */
export function followTheme(): void {
  system?.addEventListener('change', ({ matches }) => (isSystemDark.value = matches));
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
    try {
      localStorage.setItem(KEY, theme.value);
    } catch {
      // A browser that keeps nothing shows the page all the same.
    }
  });
}

/** Takes the next theme. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'auto';
}

function stored(): Theme {
  try {
    return THEMES.find((one) => one === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}
