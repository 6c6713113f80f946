import { visibleLine } from '../format/visible.js';

/** The fonts of the canvas. */
export const FONTS = {
  text: '12px system-ui, sans-serif',
  strong: '600 13px system-ui, sans-serif',
  small: '11px system-ui, sans-serif',
} as const;

const MAX_KNOWN = 5000;
const MAX_CHARS = 80;

/** Texts of servers as a canvas may draw them, cut to a width; both are worked out once for each text. */
export class Labels {
  readonly #context: CanvasRenderingContext2D;
  readonly #known = new Map<string, { readonly text: string; readonly width: number }>();

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
  }

  /** The text within a width in pixels, in the font that is set; nothing, if not even a part of it fits. */
  fit(given: string, width: number): string {
    const whole = this.#measured(given);
    if (whole.width <= width) return whole.text;
    const share = Math.floor((width / whole.width) * whole.text.length) - 1;
    return share < 3 ? '' : `${whole.text.slice(0, share)}…`;
  }

  /** How wide the whole text is, in pixels. */
  widthOf(given: string): number {
    return this.#measured(given).width;
  }

  #measured(given: string): { readonly text: string; readonly width: number } {
    const key = `${this.#context.font}\n${given.slice(0, MAX_CHARS + 1)}`;
    let found = this.#known.get(key);
    if (found === undefined) {
      const text = visibleLine(given, MAX_CHARS);
      found = { text, width: this.#context.measureText(text).width };
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(key, found);
    }
    return found;
  }
}
