import type { Command } from './keys.js';
import { blankWordStart, lineEnd, lineStart, next, previous, wordEnd, wordStart } from './text.js';

/** A text and where the cursor is in it. */
export interface Buffer {
  readonly text: string;
  /** Between two characters of the text, as an index of UTF-16 units. */
  readonly caret: number;
}

/** A text that is being edited. */
export interface EditState extends Buffer {
  /** What Ctrl-_ goes back to, the latest last. */
  readonly undos: readonly Buffer[];
  readonly redos: readonly Buffer[];
  /** What was removed by words and lines, the latest last. */
  readonly kills: readonly string[];
  /** What the last key did: keys of one kind are taken back at once, and kill into one piece. */
  readonly last: 'typed' | 'killed' | 'yanked' | 'other';
  /** How many units the last yank put in, and which piece it was. */
  readonly yanked: { readonly length: number; readonly index: number } | undefined;
}

const maxUndos = 200;
const maxKills = 20;

/** Nothing typed yet. */
export const EMPTY: EditState = {
  text: '',
  caret: 0,
  undos: [],
  redos: [],
  kills: [],
  last: 'other',
  yanked: undefined,
};

/** Writes at the cursor. */
export function insert(state: EditState, text: string): EditState {
  return replace(state, { from: state.caret, to: state.caret, text, last: 'typed' });
}

/** Writes in place of a part, which one undo takes back. */
export function replace(
  state: EditState,
  change: { from: number; to: number; text: string; last?: EditState['last'] },
): EditState {
  const { from, to, text, last = 'other' } = change;
  // A word that is typed is one step back, a blank begins the next.
  const goesOn = last === 'typed' && state.last === 'typed' && !/^\s/.test(text);
  return {
    ...state,
    text: state.text.slice(0, from) + text + state.text.slice(to),
    caret: from + text.length,
    undos: goesOn ? state.undos : [...state.undos, bufferOf(state)].slice(-maxUndos),
    redos: [],
    last,
    yanked: undefined,
  };
}

/** Another text in place of all, with the cursor at its end. */
export function put(state: EditState, text: string): EditState {
  if (text === state.text) return { ...state, caret: text.length, last: 'other' };
  return replace(state, { from: 0, to: state.text.length, text });
}

/** The text begins anew; what was killed stays. */
export function cleared(state: EditState): EditState {
  return { ...EMPTY, kills: state.kills };
}

/** What a key of editing does; `undefined` for a command that is none of editing. */
export function edit(state: EditState, command: Command): EditState | undefined {
  const { text, caret } = state;
  switch (command) {
    case 'left':
      return moved(state, previous(text, caret));
    case 'right':
      return moved(state, next(text, caret));
    case 'word-left':
      return moved(state, wordStart(text, caret));
    case 'word-right':
      return moved(state, wordEnd(text, caret));
    case 'line-start':
      return moved(state, lineStart(text, caret));
    case 'line-end':
      return moved(state, lineEnd(text, caret));
    case 'newline':
      return insert(state, '\n');
    case 'delete-left':
      return removed(state, previous(text, caret), caret);
    case 'delete-right':
      return removed(state, caret, next(text, caret));
    case 'kill-word-left':
      return killed(state, wordStart(text, caret), caret);
    case 'kill-blank-word':
      return killed(state, blankWordStart(text, caret), caret);
    case 'kill-word-right':
      return killed(state, caret, wordEnd(text, caret));
    case 'kill-line-start':
      return killed(state, lineStart(text, caret), caret);
    case 'kill-line-end': {
      const end = lineEnd(text, caret);
      // At the end of a line, the next one comes up.
      return killed(state, caret, end === caret ? next(text, caret) : end);
    }
    case 'yank':
      return yanked(state, state.kills.length - 1);
    case 'yank-older': {
      if (state.yanked === undefined) return state;
      const { index, length } = state.yanked;
      const without = replace(state, { from: caret - length, to: caret, text: '' });
      return yanked(without, index === 0 ? state.kills.length - 1 : index - 1);
    }
    case 'undo':
      return taken(state, 'undos', 'redos');
    case 'redo':
      return taken(state, 'redos', 'undos');
    default:
      return undefined;
  }
}

/** The line above or below, at the same distance from its start; `undefined` where there is none. */
export function toLine(state: EditState, direction: 'up' | 'down'): EditState | undefined {
  const { text, caret } = state;
  const start = lineStart(text, caret);
  const end = lineEnd(text, caret);
  if (direction === 'up' ? start === 0 : end === text.length) return undefined;
  const target = direction === 'up' ? lineStart(text, start - 1) : end + 1;
  const place = Math.min(target + caret - start, lineEnd(text, target));
  // Not into the middle of a character.
  return moved(state, place === target ? place : next(text, previous(text, place)));
}

function moved(state: EditState, caret: number): EditState {
  return { ...state, caret, last: 'other', yanked: undefined };
}

function removed(state: EditState, from: number, to: number): EditState {
  return from === to ? state : replace(state, { from, to, text: '' });
}

function killed(state: EditState, from: number, to: number): EditState {
  if (from === to) return state;
  const piece = state.text.slice(from, to);
  const before = state.kills.at(-1) ?? '';
  const joined = from < state.caret ? piece + before : before + piece;
  const kills =
    state.last === 'killed' ? [...state.kills.slice(0, -1), joined] : [...state.kills, piece];
  return {
    ...replace(state, { from, to, text: '', last: 'killed' }),
    kills: kills.slice(-maxKills),
  };
}

function yanked(state: EditState, index: number): EditState {
  const text = state.kills[index];
  if (text === undefined) return state;
  const put = replace(state, { from: state.caret, to: state.caret, text, last: 'yanked' });
  return { ...put, yanked: { length: text.length, index } };
}

function taken(state: EditState, from: 'undos' | 'redos', to: 'undos' | 'redos'): EditState {
  const buffer = state[from].at(-1);
  if (buffer === undefined) return state;
  return {
    ...state,
    ...buffer,
    [from]: state[from].slice(0, -1),
    [to]: [...state[to], bufferOf(state)],
    last: 'other',
    yanked: undefined,
  };
}

function bufferOf({ text, caret }: Buffer): Buffer {
  return { text, caret };
}
