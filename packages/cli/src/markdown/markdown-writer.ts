import { sanitizeLine } from '../sanitize.js';
import type { Terminal } from '../terminal.js';
import { BlockSplitter, type MarkdownBlock } from './block-splitter.js';
import { renderMarkdown } from './render-markdown.js';

/** More than that is no language of code. */
const maxLanguageLength = 40;

/** Shows Markdown on a terminal while it is written, block by block. */
export class MarkdownWriter {
  readonly #terminal: Terminal;
  readonly #shown: (text: string) => string;
  readonly #splitter = new BlockSplitter();
  #isFirst = true;
  #before: MarkdownBlock['kind'] | undefined;

  /**
   * `shown` makes a block safe to show: control sequences and our own secrets are taken from it while it
   * is whole.
   */
  constructor(terminal: Terminal, shown: (text: string) => string) {
    this.#terminal = terminal;
    this.#shown = shown;
  }

  /** Whether something was written that is not shown yet. */
  get isOpen(): boolean {
    return this.#splitter.isOpen;
  }

  /** Shows what is whole now. */
  write(text: string): void {
    for (const block of this.#splitter.push(text)) this.#show(block);
  }

  /** Shows the rest. */
  end(): void {
    for (const block of this.#splitter.end()) this.#show(block);
    this.#isFirst = true;
    this.#before = undefined;
  }

  #show(block: MarkdownBlock): void {
    const { cyan, dim } = this.#terminal.colors;
    const before = this.#before;
    this.#before = block.kind;
    if (block.kind === 'code-end') return;
    const isInCode = block.kind === 'code' && before !== undefined && before !== 'text';
    if (!this.#isFirst && !isInCode) this.#terminal.print();
    this.#isFirst = false;
    if (block.kind === 'code') return this.#terminal.print(`  ${cyan(this.#shown(block.line))}`);
    if (block.kind === 'code-start') {
      const language = sanitizeLine(this.#shown(block.language), maxLanguageLength);
      return this.#terminal.print(dim(`  ${language || 'code'}:`));
    }
    for (const line of renderMarkdown(this.#shown(block.text), this.#terminal)) {
      this.#terminal.print(line);
    }
  }
}
