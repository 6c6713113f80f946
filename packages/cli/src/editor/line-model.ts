import { commonStart, type Completion, type Menu } from './completion.js';
import {
  cleared,
  edit,
  EMPTY,
  insert,
  put,
  replace,
  toLine,
  type EditState,
} from './edit-state.js';
import type { Command, Key } from './keys.js';
import { isContinued, previous } from './text.js';

/** A line that is being typed, with all that belongs to typing it. */
export interface LineModel {
  readonly edit: EditState;
  /** Lines of before, the latest last. */
  readonly history: readonly string[];
  /** Which of them is shown; `history.length` is the line that is new. */
  readonly place: number;
  /** The new line, while one of before is shown. */
  readonly draft: string;
  /** What is searched for among them, and where it was found. */
  readonly search: Search | undefined;
  readonly menu: Menu | undefined;
  /** Ctrl-X was pressed: the next key belongs to it. */
  readonly chord: boolean;
}

/** A search among the lines of before. */
export interface Search {
  readonly query: string;
  /** The line that was found; -1: none. */
  readonly found: number;
  /** No other line has the query. */
  readonly isMissing: boolean;
  /** What was typed before it. */
  readonly before: string;
}

/** What the editor has to do for a key, beside showing what it changed. */
export type Request =
  | { readonly type: 'submit'; readonly text: string }
  | { readonly type: 'end' | 'interrupt' | 'complete' | 'edit' | 'suspend' | 'clear-screen' };

/** What comes of a key. */
export interface Pressed {
  readonly model: LineModel;
  readonly request?: Request;
}

/** Nothing typed yet, with the lines of before. */
export function newLine(history: readonly string[]): LineModel {
  return {
    edit: EMPTY,
    history,
    place: history.length,
    draft: '',
    search: undefined,
    menu: undefined,
    chord: false,
  };
}

/** The line is sent: it belongs to those of before, unless it is one like the last, or secret. */
export function sent(model: LineModel, text: string): LineModel {
  const { history, edit: state } = model;
  const isKept = text.trim() !== '' && !text.startsWith(' ') && history.at(-1) !== text;
  return { ...newLine(isKept ? [...history, text] : history), edit: cleared(state) };
}

/** Text that comes at once, as from the clipboard. */
export function paste(model: LineModel, text: string): LineModel {
  const { edit: state } = endSearch(model);
  const { caret } = state;
  return typed(model, replace(state, { from: caret, to: caret, text }));
}

/** What a key changes, and what it asks for. */
export function press(model: LineModel, key: Key): Pressed {
  if (model.chord) {
    const isEdit = key.type === 'command' && key.name === 'ctrl-e';
    return { model: { ...model, chord: false }, ...(isEdit && { request: { type: 'edit' } }) };
  }
  if (model.search !== undefined) {
    const searched = pressInSearch(model, model.search, key);
    if (searched !== undefined) return searched;
  }
  const ready = endSearch(model);
  if (key.type === 'text') return { model: typed(ready, insert(ready.edit, key.text)) };
  const { command } = key;
  const { menu } = ready;
  if (menu !== undefined && (command === 'complete' || command === 'complete-back')) {
    return { model: choose(ready, menu, command === 'complete' ? 1 : -1) };
  }
  const closed: LineModel = { ...ready, menu: undefined };
  if (menu !== undefined && command === 'cancel') return { model: closed };
  return pressCommand(closed, command);
}

function pressCommand(model: LineModel, command: Command): Pressed {
  const { edit: state } = model;
  switch (command) {
    case 'enter':
      if (state.caret === state.text.length && isContinued(state.text)) {
        const { caret } = state;
        return { model: typed(model, replace(state, { from: caret - 1, to: caret, text: '\n' })) };
      }
      return { model, request: { type: 'submit', text: state.text } };
    case 'delete-or-end': {
      if (state.text === '') return { model, request: { type: 'end' } };
      return { model: typed(model, edit(state, 'delete-right') ?? state) };
    }
    case 'up':
    case 'down': {
      const line = toLine(state, command);
      if (line !== undefined) return { model: { ...model, edit: line } };
      return { model: recalled(model, model.place + (command === 'up' ? -1 : 1)) };
    }
    case 'older':
      return { model: recalled(model, model.place - 1) };
    case 'newer':
      return { model: recalled(model, model.place + 1) };
    case 'search':
    case 'search-newer':
      return {
        model: {
          ...model,
          search: { query: '', found: -1, isMissing: false, before: state.text },
        },
      };
    case 'chord':
      return { model: { ...model, chord: true } };
    case 'interrupt':
    case 'complete':
    case 'suspend':
    case 'clear-screen':
      return { model, request: { type: command } };
    case 'cancel':
    case 'complete-back':
      return { model };
    default:
      return { model: typed(model, edit(state, command) ?? state) };
  }
}

/** What Tab found: the only candidate is written, else what all begin with, and a menu of them. */
export function offer(model: LineModel, { from, candidates }: Completion): LineModel {
  const { edit: state } = model;
  const [only, other] = candidates;
  if (only === undefined) return model;
  const to = state.caret;
  if (other === undefined) {
    return { ...model, edit: replace(state, { from, to, text: only.text }), menu: undefined };
  }
  const start = commonStart(candidates);
  const written = state.text.slice(from, to);
  const isLonger = start.length > written.length && start !== written;
  const edited = isLonger ? replace(state, { from, to, text: start }) : state;
  return { ...model, edit: edited, menu: { from, candidates, chosen: -1 } };
}

function choose(model: LineModel, menu: Menu, step: 1 | -1): LineModel {
  const { from, candidates, chosen } = menu;
  const { length } = candidates;
  const next = chosen === -1 && step === -1 ? length - 1 : (chosen + step + length) % length;
  const text = candidates[next]?.text ?? '';
  const edited = replace(model.edit, { from, to: model.edit.caret, text });
  return { ...model, edit: edited, menu: { ...menu, chosen: next } };
}

/** A changed text: it is the new line, whichever it began as. */
function typed(model: LineModel, state: EditState): LineModel {
  return { ...model, edit: state, menu: undefined, search: undefined };
}

function recalled(model: LineModel, place: number): LineModel {
  const { history, edit: state } = model;
  if (place < 0 || place > history.length || place === model.place) return model;
  const draft = model.place === history.length ? state.text : model.draft;
  const text = history[place] ?? draft;
  return { ...model, draft, place, edit: put(state, text) };
}

function pressInSearch(model: LineModel, search: Search, key: Key): Pressed | undefined {
  const { query } = search;
  const last = model.history.length - 1;
  const found = search.found === -1 ? last + 1 : search.found;
  if (key.type === 'text') {
    const from = Math.min(found, last);
    return { model: searched(model, { ...search, query: query + key.text }, { from, step: -1 }) };
  }
  switch (key.command) {
    case 'delete-left': {
      const shorter = { ...search, query: query.slice(0, previous(query, query.length)) };
      return { model: searched(model, shorter, { from: last, step: -1 }) };
    }
    case 'search':
      return { model: searched(model, search, { from: found - 1, step: -1, isAgain: true }) };
    case 'search-newer':
      return { model: searched(model, search, { from: found + 1, step: 1, isAgain: true }) };
    case 'cancel':
    case 'interrupt':
      return { model: { ...model, search: undefined, edit: put(model.edit, search.before) } };
    default:
      return undefined;
  }
}

/** Looks from a place on, one way; where nothing is found, what was found stays. */
function searched(
  model: LineModel,
  search: Search,
  { from, step, isAgain = false }: { from: number; step: 1 | -1; isAgain?: boolean },
): LineModel {
  const { history, edit: state } = model;
  const words = search.query.toLowerCase();
  if (words === '') return { ...model, search: { ...search, isMissing: false } };
  // Asked for another one, a line that was sent several times is one.
  const isFound = (line: string): boolean =>
    line.toLowerCase().includes(words) && !(isAgain && line === state.text);
  let place = from;
  while (place >= 0 && place < history.length && !isFound(history[place] ?? '')) place += step;
  const text = history[place];
  if (text === undefined) return { ...model, search: { ...search, isMissing: true } };
  return {
    ...model,
    search: { ...search, found: place, isMissing: false },
    edit: put(state, text),
  };
}

/** What was found is the line now. */
function endSearch(model: LineModel): LineModel {
  const { search } = model;
  if (search === undefined) return model;
  const place = search.found === -1 ? model.place : search.found;
  return { ...model, search: undefined, place };
}
