import { OTHER } from './names.js';

/**
 * The names that get a label of their own. A label lives for ever, and models and users make names up:
 * so a name has none until a server has said that it knows it.
 */
export class KnownNames {
  readonly #names: Set<string>;
  readonly #max: number;

  constructor(max: number, names: Iterable<string> = []) {
    this.#max = max;
    this.#names = new Set(names);
  }

  /** Notes a name that a server knows, if there is room. */
  add(name: unknown): void {
    if (typeof name === 'string' && this.#names.size < this.#max) this.#names.add(name);
  }

  labelOf(name: string): string {
    return this.#names.has(name) ? name : OTHER;
  }
}
