/** Whether the API counts it as an empty text. */
export function isBlank(text: string): boolean {
  return text.trim() === '';
}

/**
 * Text that the API accepts: it answers 400 to a lone surrogate, which servers produce by cutting
 * strings in the middle of a character.
 */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** A limit of characters shared by many texts, which also counts the characters requested. */
export class TextBudget {
  readonly #limit: number;
  #wanted = 0;
  #shown = 0;
  #cut = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The text, cut to what remains of the limit; never half a surrogate pair, and nothing after a cut. */
  take(text: string): string {
    this.#wanted += text.length;
    if (this.#cut) return '';
    const left = this.#limit - this.#shown;
    if (text.length <= left) {
      this.#shown += text.length;
      return text;
    }
    this.#cut = true;
    const splitsPair = /[\uD800-\uDBFF]/.test(text.charAt(left - 1));
    const piece = text.slice(0, splitsPair ? left - 1 : left);
    this.#shown += piece.length;
    return piece;
  }

  /** A note on what was cut; undefined if nothing was. */
  get note(): string | undefined {
    if (!this.#cut) return undefined;
    return `[Cut: this result has ${this.#wanted} characters, of which only the first ${this.#shown} are shown; ${this.#wanted - this.#shown} are missing. To see more, call the tool again for less at a time: narrower arguments, a filter, a page or a range, if it has them.]`;
  }
}
