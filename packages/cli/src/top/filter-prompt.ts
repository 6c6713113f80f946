import { completions, type Completions, type Picture } from '@longwire/recording';
import type { Key } from './keys.js';

/** What becomes of a filter that is written. */
export type PromptOutcome = 'writing' | 'done' | 'cancelled';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A line in which a filter is written, with what can be written where the caret is. */
export class FilterPrompt {
  readonly #picture: () => Picture;
  #text: string;
  #caret: number;
  /** Which completion is chosen; none at -1. */
  #chosen = -1;
  #offered: Completions | undefined;

  constructor(text: string, picture: () => Picture) {
    this.#text = text;
    this.#caret = text.length;
    this.#picture = picture;
    this.#offer();
  }

  get text(): string {
    return this.#text;
  }

  /** What is before the caret. */
  get beforeCaret(): string {
    return this.#text.slice(0, this.#caret);
  }

  get chosen(): number {
    return this.#chosen;
  }

  get completions(): Completions['completions'] {
    return this.#offered?.completions ?? [];
  }

  press({ name, ctrl = false }: Key): PromptOutcome {
    if (ctrl) this.#edit(`ctrl-${name}`);
    else if (name === 'escape') return 'cancelled';
    else if (name === 'return') {
      if (this.#chosen === -1) return 'done';
      this.#take(this.#chosen);
    } else if (name === 'tab') this.#take(Math.max(0, this.#chosen));
    else if (name === 'up' || name === 'down') {
      const step = name === 'down' ? 1 : -1;
      this.#chosen = Math.max(-1, Math.min(this.#chosen + step, this.completions.length - 1));
    } else this.#edit(name);
    return 'writing';
  }

  #edit(name: string): void {
    const [before, after] = [this.beforeCaret, this.#text.slice(this.#caret)];
    switch (name) {
      case 'left':
        this.#put(
          before.slice(0, -lastOf(before)),
          this.#text.slice(before.length - lastOf(before)),
        );
        break;
      case 'right':
        this.#put(before + after.slice(0, firstOf(after)), after.slice(firstOf(after)));
        break;
      case 'home':
      case 'ctrl-a':
        this.#put('', this.#text);
        break;
      case 'end':
      case 'ctrl-e':
        this.#put(this.#text, '');
        break;
      case 'backspace':
        this.#put(before.slice(0, before.length - lastOf(before)), after);
        break;
      case 'delete':
        this.#put(before, after.slice(firstOf(after)));
        break;
      case 'ctrl-u':
        this.#put('', after);
        break;
      case 'ctrl-w':
        this.#put(before.replace(/\S+\s*$/, ''), after);
        break;
      case 'space':
        this.#put(`${before} `, after);
        break;
      default:
        // What a key writes is its name; the others have longer ones.
        if (firstOf(name) === name.length) this.#put(before + name, after);
    }
  }

  #put(before: string, after: string): void {
    this.#text = before + after;
    this.#caret = before.length;
    this.#chosen = -1;
    this.#offer();
  }

  #take(index: number): void {
    const completion = this.completions[index];
    if (completion === undefined || this.#offered === undefined) return;
    const { from, to } = this.#offered;
    // Behind a key comes its value, behind a value the next term.
    const added = completion.text.endsWith(':') ? completion.text : `${completion.text} `;
    this.#put(this.#text.slice(0, from) + added, this.#text.slice(to).trimStart());
  }

  #offer(): void {
    this.#offered = completions(this.#text, this.#caret, this.#picture());
  }
}

/** How long the first character is, with all that belongs to it. */
function firstOf(text: string): number {
  for (const { segment } of graphemes.segment(text)) return segment.length;
  return 0;
}

function lastOf(text: string): number {
  let length = 0;
  for (const { segment } of graphemes.segment(text)) length = segment.length;
  return length;
}
