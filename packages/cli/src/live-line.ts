import type { Output } from './streams.js';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameEveryMs = 80;

const [clearLine, hideCursor, showCursor] = ['\r\u001b[K', '\u001b[?25l', '\u001b[?25h'];

/** A spinner with a text on the last line of a terminal. Clear it before other output. */
export class LiveLine {
  readonly #stream: Output;
  readonly #color: (frame: string) => string;
  #text: string | undefined;
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Output, color: (frame: string) => string) {
    this.#stream = stream;
    this.#color = color;
  }

  /** What is shown, if anything is. */
  get text(): string | undefined {
    return this.#text;
  }

  /** Shows a text, which fits on a line, or changes it. */
  show(text: string): void {
    this.#text = text;
    if (this.#timer !== undefined) return;
    this.#stream.write(hideCursor);
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), frameEveryMs);
  }

  /** Clears the line and restores the cursor. */
  clear(): void {
    this.#text = undefined;
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stream.write(`${clearLine}${showCursor}`);
  }

  #draw(): void {
    this.#frame = (this.#frame + 1) % frames.length;
    const frame = this.#color(frames[this.#frame] ?? '');
    this.#stream.write(`${clearLine}${frame} ${this.#text ?? ''}`);
  }
}
