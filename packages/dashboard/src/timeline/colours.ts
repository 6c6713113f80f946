const NAMES = [
  ...(['ground', 'surface', 'raised', 'line', 'edge', 'text', 'muted', 'accent'] as const),
  ...(['good', 'busy', 'warning', 'bad'] as const),
];

/** The colours of the page, as a canvas takes them. */
export type Colours = Readonly<Record<(typeof NAMES)[number], string>>;

/** The colours of the styles as they are now, light or dark. */
export function readColours(element: HTMLElement): Colours {
  // A custom property tells both themes; a property that uses it, the one of now.
  const before = element.style.color;
  const colours = NAMES.map((name) => {
    element.style.color = `var(--${name})`;
    return [name, getComputedStyle(element).color] as const;
  });
  element.style.color = before;
  return Object.fromEntries(colours) as Colours;
}
