import type { Output } from './streams.js';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameEveryMs = 80;

const [clearLine, hideCursor, showCursor] = ['\r\u001b[K', '\u001b[?25l', '\u001b[?25h'];

/** Draws a live line somewhere; `undefined`: there is none any more. */
export type DrawLive = (line: string | undefined) => void;

/** A spinner with a text on the last line of a terminal. Clear it before other output. */
export class LiveLine {
  readonly #color: (frame: string) => string;
  readonly #drawLast: DrawLive;
  /** Draws it instead of this. */
  #drawElsewhere: DrawLive | undefined;
  #text: string | undefined;
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Output, color: (frame: string) => string) {
    this.#color = color;
    this.#drawLast = (line) =>
      void stream.write(
        line === undefined ? `${clearLine}${showCursor}` : `${hideCursor}${clearLine}${line}`,
      );
  }

  /** What is shown, if anything is. */
  get text(): string | undefined {
    return this.#text;
  }

  /** Has it drawn elsewhere from now on; `undefined`: on the last line again. */
  drawElsewhere(draw: DrawLive | undefined): void {
    this.clear();
    this.#drawElsewhere = draw;
  }

  /** Shows a text, which fits on a line, or changes it. */
  show(text: string): void {
    this.#text = text;
    if (this.#timer !== undefined) return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), frameEveryMs);
  }

  /** Clears the line and restores the cursor. */
  clear(): void {
    this.#text = undefined;
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    (this.#drawElsewhere ?? this.#drawLast)(undefined);
  }

  #draw(): void {
    this.#frame = (this.#frame + 1) % frames.length;
    const frame = this.#color(frames[this.#frame] ?? '');
    (this.#drawElsewhere ?? this.#drawLast)(`${frame} ${this.#text ?? ''}`);
  }
}
