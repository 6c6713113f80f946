import type { Keypress } from '../raw-terminal.js';

/** Keys and what they do, as the editor reads them; `docs/shell.md` lists them for users. */
const COMMANDS = {
  left: 'left',
  'ctrl-b': 'left',
  right: 'right',
  'ctrl-f': 'right',
  'ctrl-left': 'word-left',
  'alt-left': 'word-left',
  'alt-b': 'word-left',
  'ctrl-right': 'word-right',
  'alt-right': 'word-right',
  'alt-f': 'word-right',
  home: 'line-start',
  'ctrl-a': 'line-start',
  end: 'line-end',
  'ctrl-e': 'line-end',
  up: 'up',
  down: 'down',
  'ctrl-p': 'older',
  'ctrl-n': 'newer',
  backspace: 'delete-left',
  delete: 'delete-right',
  'ctrl-d': 'delete-or-end',
  'ctrl-w': 'kill-blank-word',
  'alt-backspace': 'kill-word-left',
  'ctrl-backspace': 'kill-word-left',
  'alt-d': 'kill-word-right',
  'ctrl-delete': 'kill-word-right',
  'ctrl-k': 'kill-line-end',
  'ctrl-u': 'kill-line-start',
  'ctrl-y': 'yank',
  'alt-y': 'yank-older',
  'ctrl-_': 'undo',
  'alt-_': 'redo',
  return: 'enter',
  enter: 'enter',
  'alt-return': 'newline',
  'alt-enter': 'newline',
  'shift-return': 'newline',
  tab: 'complete',
  'shift-tab': 'complete-back',
  'ctrl-r': 'search',
  'ctrl-s': 'search-newer',
  'ctrl-g': 'cancel',
  escape: 'cancel',
  'ctrl-c': 'interrupt',
  'ctrl-z': 'suspend',
  'ctrl-l': 'clear-screen',
  'ctrl-x': 'chord',
} as const;

/** What a key does. */
export type Command = (typeof COMMANDS)[keyof typeof COMMANDS];

/** A key: a command, or the text that it writes. */
export type Key =
  | { readonly type: 'command'; readonly command: Command; readonly name: string }
  | { readonly type: 'text'; readonly text: string };

/** Sequences that `node:readline` has no name for: undo, redo, and Enter with Shift or Alt. */
const NAMES: Readonly<Record<string, string>> = {
  '\u001f': 'ctrl-_',
  '\u001e': 'alt-_',
  '\u001b\u001f': 'alt-_',
  '\u001b[13;2u': 'shift-return',
  '\u001b[13;3u': 'alt-return',
};

/** What a key means; `undefined` for one that means nothing here. */
export function keyOf(text: string | undefined, pressed: Partial<Keypress>): Key | undefined {
  const name = NAMES[pressed.sequence ?? ''] ?? nameOf(pressed);
  const command = (COMMANDS as Readonly<Record<string, Command>>)[name];
  if (command !== undefined && Object.hasOwn(COMMANDS, name)) {
    return { type: 'command', command, name };
  }
  const isText = text !== undefined && pressed.ctrl !== true && pressed.meta !== true;
  return isText && !/\p{Cc}/u.test(text) ? { type: 'text', text } : undefined;
}

function nameOf({ name = '', ctrl, meta, shift }: Partial<Keypress>): string {
  // Esc alone comes with `meta`.
  if (name === 'escape') return name;
  if (ctrl === true) return `ctrl-${name}`;
  if (meta === true) return `alt-${name}`;
  return shift === true && name.length > 1 ? `shift-${name}` : name.length > 1 ? name : '';
}
