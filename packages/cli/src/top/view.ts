import { Picture, type CallPicture } from '@longwire/recording';
import { viewFilter, type ViewFilter } from '@longwire/recording/shown';
import type { ReplayPosition, ReplayRequest } from '../dash/page-source.js';
import { displayWidth } from '../display-width.js';
import type { Colors } from '../terminal.js';
import { FilterPrompt } from './filter-prompt.js';
import type { Key } from './keys.js';
import { lastLine, offeredLines, writtenFilter } from './last-line.js';
import { Lists } from './lists.js';
import { OpenedView } from './opened-view.js';
import type { Frame } from './painter.js';
import { line, plain, toText } from './spans.js';
import type { Away } from './source.js';
import { titleLine } from './title-line.js';

/** What a key asks of the program around the view. */
export type TopRequest =
  | { readonly type: 'quit' | 'interrupt' | 'suspend' | 'redraw' }
  | { readonly type: 'load' | 'cancel'; readonly call: number }
  | { readonly type: 'replay'; readonly request: ReplayRequest };

/** What a view is made with. */
export interface TopViewOptions {
  readonly picture: () => Picture;
  /** The time of now, in milliseconds since 1970. */
  readonly now: () => number;
  /** Where the replay is; `undefined` where servers are shown as they are. */
  readonly replay: () => ReplayPosition | undefined;
  /** Since when what is shown is not what happens, and why; `undefined` while it is. */
  readonly away: () => Away | undefined;
  /** Whether calls can be cancelled. */
  readonly canCancel: () => boolean;
  readonly colors: Colors;
}

const SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 50, 100, 1000] as const;
/** What part of a recording one key goes back, or on. */
const SEEK_SHARE = 1 / 20;

/** What `top` shows, and what its keys do. It draws nothing itself, and asks nobody. */
export class TopView {
  readonly #options: TopViewOptions;
  readonly #lists = new Lists();
  #opened: OpenedView | undefined;
  #filterText = '';
  #filter: ViewFilter = viewFilter('');
  #prompt: FilterPrompt | undefined;
  /** The call that is cancelled after the next key, if that says yes. */
  #asked: CallPicture | undefined;
  /** The picture of the time when the screen was held. */
  #held: { readonly picture: Picture; readonly at: number } | undefined;
  /** The speed that was asked for last: keys may be faster than a replay. */
  #speed: number | undefined;
  #notice: string | undefined;

  constructor(options: TopViewOptions) {
    this.#options = options;
  }

  /** Says something in the last line, until the next key. */
  notify(text: string): void {
    this.#notice = plain(text);
  }

  /** Gives the values of a call as a whole, if it is still opened. */
  setWhole(call: CallPicture): void {
    const { opened } = this.#opened ?? {};
    if (opened?.is === 'call' && opened.id === call.call) this.#opened?.setWhole(call);
  }

  /** What is shown on a screen of this size. */
  frame(columns: number, rows: number): Frame {
    const [picture, at, height] = [this.#picture, this.#at, Math.max(0, rows - 2)];
    const space = { picture, at, width: columns, height };
    const body =
      this.#opened?.lines(space) ?? this.#lists.lines({ ...space, filter: this.#filter });
    while (body.length < height) body.push(line(''));
    const { away, replay } = this.#options;
    const prompt = this.#prompt;
    const offered = prompt === undefined ? [] : offeredLines(prompt, height - 1);
    const lines = [
      titleLine({ picture, at, replay: replay(), away: away(), heldAt: this.#held?.at }),
      ...body.slice(0, height - offered.length),
      ...offered,
      lastLine({
        asked: this.#asked,
        prompt,
        notice: this.#notice,
        away: away(),
        opened: this.#opened?.opened,
        filterText: this.#filterText,
        filter: this.#filter,
        selected: this.#lists.selected,
        picture,
      }),
    ].slice(-Math.max(1, rows));
    const column = prompt === undefined ? 0 : 1 + displayWidth(writtenFilter(prompt.beforeCaret));
    return {
      rows: lines.map((one) => toText(one, columns, this.#options.colors)),
      ...(prompt !== undefined && {
        cursor: { row: lines.length - 1, column: Math.min(column, columns - 1) },
      }),
    };
  }

  /** Takes a key. What it asks of the program around, if anything. */
  press(key: Key): TopRequest | undefined {
    this.#notice = undefined;
    if (key.ctrl === true) {
      if (key.name === 'c') return { type: 'interrupt' };
      if (key.name === 'z') return { type: 'suspend' };
      if (key.name === 'l') return { type: 'redraw' };
    }
    if (this.#asked !== undefined) return this.#answer(key);
    if (this.#prompt !== undefined) return this.#write(this.#prompt, key);
    return key.ctrl === true ? undefined : this.#command(key);
  }

  get #picture(): Picture {
    return this.#held?.picture ?? this.#options.picture();
  }

  get #at(): number {
    return this.#held?.at ?? this.#options.replay()?.at ?? this.#options.now();
  }

  #command(key: Key): TopRequest | undefined {
    switch (key.name) {
      case 'q':
        return { type: 'quit' };
      case '?':
        this.#opened = new OpenedView({ is: 'help' });
        return undefined;
      case 'escape':
        return this.#leave();
      case '/':
        this.#prompt = new FilterPrompt(this.#filterText, () => this.#picture);
        return undefined;
      case 'space':
        return this.#hold();
      case 'c':
        return this.#askToCancel();
      case '[':
        return this.#changeSpeed(-1);
      case ']':
        return this.#changeSpeed(1);
      case 'left':
        return this.#seek(-SEEK_SHARE);
      case 'right':
        return this.#seek(SEEK_SHARE);
      case 'f':
        return this.#filterByServer();
      case 'return':
        return this.#open();
    }
    if (this.#opened !== undefined) this.#opened.press(key.name);
    else this.#lists.press(key);
    return undefined;
  }

  #open(): TopRequest | undefined {
    const { selected } = this.#lists;
    if (selected === undefined || this.#opened !== undefined) return undefined;
    this.#opened = new OpenedView(selected);
    return selected.is === 'call' ? { type: 'load', call: selected.id } : undefined;
  }

  #leave(): undefined {
    if (this.#opened !== undefined) this.#opened = undefined;
    else if (this.#filterText !== '') this.#setFilter('');
    else this.#lists.moveToFirst();
  }

  #setFilter(text: string): void {
    this.#filterText = text;
    this.#filter = viewFilter(text);
  }

  #filterByServer(): undefined {
    const { filterOfSelected: text } = this.#lists;
    if (text === undefined || this.#opened !== undefined) return;
    this.#setFilter(this.#filterText === text ? '' : text);
  }

  #write(prompt: FilterPrompt, key: Key): undefined {
    const outcome = prompt.press(key);
    if (outcome !== 'writing') this.#prompt = undefined;
    if (outcome === 'done') this.#filterText = prompt.text.trim();
    // The lists follow while it is written.
    this.#filter = viewFilter(outcome === 'writing' ? prompt.text : this.#filterText);
  }

  #hold(): TopRequest | undefined {
    const replay = this.#options.replay();
    if (replay !== undefined) return { type: 'replay', request: { playing: !replay.playing } };
    this.#held =
      this.#held === undefined
        ? { picture: Picture.from(this.#picture.toJSON()), at: this.#at }
        : undefined;
    return undefined;
  }

  #askToCancel(): undefined {
    const thing = this.#opened?.opened ?? this.#lists.selected;
    const call = thing?.is === 'call' ? this.#options.picture().find(thing.id) : undefined;
    if (this.#options.replay() !== undefined) {
      this.notify('This is a recording: nothing can be cancelled.');
    } else if (!this.#options.canCancel()) {
      this.notify('This page only shows: nothing can be cancelled from it.');
    } else if (call === undefined) this.notify('Select a call that runs: Tab goes to the calls.');
    else if (call.end !== undefined) this.notify('This call has ended.');
    else this.#asked = call;
  }

  #answer({ name }: Key): TopRequest | undefined {
    const call = this.#asked;
    this.#asked = undefined;
    if (call === undefined || name.toLowerCase() !== 'y') return undefined;
    return { type: 'cancel', call: call.call };
  }

  #changeSpeed(step: 1 | -1): TopRequest | undefined {
    const replay = this.#options.replay();
    if (replay === undefined) return undefined;
    const before = this.#speed ?? replay.speed;
    const now = SPEEDS.findIndex((speed) => speed >= before);
    const speed = SPEEDS[Math.max(0, Math.min(now + step, SPEEDS.length - 1))] ?? 1;
    this.#speed = speed;
    return { type: 'replay', request: { speed } };
  }

  #seek(share: number): TopRequest | undefined {
    const replay = this.#options.replay();
    if (replay === undefined) return undefined;
    const { from, to, at } = replay;
    return { type: 'replay', request: { at: at + share * (to - from) } };
  }
}
