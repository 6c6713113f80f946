import { checkHeaders, type HeaderRecord } from './headers.js';

/**
 * Checks headers that are made anew for every request, and mostly say the same: then they are the
 * same object as before, by which others keep what they have made of it.
 */
export class CheckedHeaders {
  #given: Readonly<Record<string, string>> = {};
  #size = 0;
  #checked: HeaderRecord | undefined;

  /**
   * The headers with their names in lower case; `undefined` where there are none.
   *
   * @throws TypeError that names the header, and never shows its value.
   */
  of(given: Readonly<Record<string, string>>): HeaderRecord | undefined {
    let size = 0;
    let isSame = true;
    for (const name in given) {
      size++;
      isSame &&= given[name] === this.#given[name];
    }
    if (size === 0) return undefined;
    if (isSame && size === this.#size) return this.#checked;
    const checked = checkHeaders(given);
    this.#given = { ...given };
    this.#size = size;
    this.#checked = checked;
    return checked;
  }
}
