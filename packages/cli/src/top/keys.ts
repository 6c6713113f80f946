/** A key that was pressed: the name of a special one, or what it writes. */
export interface Key {
  readonly name: string;
  readonly ctrl?: boolean;
  readonly shift?: boolean;
}

/** A line of the help: keys, and what they do. */
export type HelpLine = readonly [keys: string, does: string];

/** All keys, as the help and docs/top.md have them. */
export const HELP: readonly (readonly [title: string, lines: readonly HelpLine[]])[] = [
  [
    'Everywhere',
    [
      ['?', 'shows these keys'],
      ['q', 'ends it; so does Ctrl-C'],
      ['Ctrl-Z', 'suspends it; fg goes on'],
      ['Ctrl-L', 'draws the screen anew'],
    ],
  ],
  [
    'Lists',
    [
      ['Tab, Shift-Tab', 'goes to the next list, or the one before'],
      ['j k, arrows', 'selects a row; so do PgUp, PgDn, g, G, Home, End'],
      ['Enter', 'opens the row: a call, an event, or a server'],
      ['Esc', 'goes back, or clears the filter, or goes to the first row'],
      ['< >', 'sorts by the column before, or the next'],
      ['r', 'turns the order round'],
      ['z', 'shows one list on all of the screen, or all lists again'],
    ],
  ],
  [
    'Filter',
    [
      ['/', 'filters all lists; Tab completes, Enter keeps it, Esc does not'],
      ['f', 'shows only the server of the selected row'],
    ],
  ],
  [
    'Time and calls',
    [
      ['Space', 'holds the screen, or goes on; in a recording, halts it'],
      ['c', 'cancels the selected call, after asking'],
      ['[ ]', 'shows a recording slower, or faster'],
      ['← →', 'goes back in a recording, or on, a twentieth of it'],
    ],
  ],
];
