/** A longer block is given out in parts: its text has to be parsed at once. */
const maxBlockLength = 16_384;

/** A fence of code: ``` or ~~~, at least three, indented by at most three. */
const fence = /^ {0,3}(`{3,}|~{3,})/;

/**
 * Takes Markdown apart into blocks while it is written, so that each can be shown as soon as it is
 * whole. Code comes line by line; anything else ends at a blank line after which nothing is indented.
 */
export class BlockSplitter {
  /** The line that is being written. */
  #line = '';
  /** Whole lines of the block that is being written. */
  #block = '';
  /** The fence that ends the code that is being written. */
  #fence: string | undefined;

  /** Whether the text is in the middle of a block. */
  get isOpen(): boolean {
    return this.#block !== '' || this.#line !== '';
  }

  /** Takes the next text, and gives the blocks that are whole now. */
  push(text: string): MarkdownBlock[] {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    const blocks = lines.flatMap((line) => this.#take(line));
    if (this.#line.length <= maxBlockLength) return blocks;
    const rest = this.#line;
    this.#line = '';
    return [...blocks, ...this.#take(rest)];
  }

  /** The text is at its end: what is left of it. */
  end(): MarkdownBlock[] {
    const blocks = this.#line === '' ? [] : this.#take(this.#line);
    this.#line = '';
    this.#fence = undefined;
    return [...blocks, ...this.#flush()];
  }

  #take(written: string): MarkdownBlock[] {
    const line = written.replace(/\r$/, '');
    const [, mark] = fence.exec(line) ?? [];
    if (this.#fence !== undefined) {
      const isEnd = mark?.startsWith(this.#fence) === true && line.trim() === mark;
      if (!isEnd) return [{ kind: 'code', line }];
      this.#fence = undefined;
      return [{ kind: 'code-end' }];
    }
    if (mark !== undefined) {
      this.#fence = mark;
      const language = line.trim().slice(mark.length).trim();
      return [...this.#flush(), { kind: 'code-start', language }];
    }
    // An indented line goes on with the item of a list before the blank line.
    const isNew = this.#block.endsWith('\n\n') && !/^\s/.test(line);
    const before = isNew || this.#block.length > maxBlockLength ? this.#flush() : [];
    this.#block += `${line.trim() === '' ? '' : line}\n`;
    return before;
  }

  #flush(): MarkdownBlock[] {
    const text = this.#block;
    this.#block = '';
    return text.trim() === '' ? [] : [{ kind: 'text', text }];
  }
}

/** A part of Markdown that can be shown. */
export type MarkdownBlock =
  | { kind: 'text'; text: string }
  | { kind: 'code-start'; language: string }
  | { kind: 'code'; line: string }
  | { kind: 'code-end' };
