const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Text of which every UTF-16 unit is a character by itself. */
const plain = /^[\n -~]*$/;

/** A longer character, as a hostile pile of marks may be, is taken apart. */
const maxLookBack = 64;

/** A text in characters as people count them. */
export function charactersOf(text: string): string[] {
  if (plain.test(text)) return text.split('');
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** Where the character before a place begins. */
export function previous(text: string, place: number): number {
  if (place <= 0) return 0;
  const before = text.slice(Math.max(0, place - maxLookBack), place);
  return place - (charactersOf(before).at(-1)?.length ?? 0);
}

/** Where the character at a place ends. */
export function next(text: string, place: number): number {
  const [first] = charactersOf(text.slice(place, place + maxLookBack));
  return place + (first?.length ?? 0);
}

/** Where the word before a place begins, as Alt-B goes: letters and digits. */
export function wordStart(text: string, place: number): number {
  return /[\p{L}\p{N}\p{M}]*[^\p{L}\p{N}\p{M}]*$/u.exec(text.slice(0, place))?.index ?? 0;
}

/** Where the word after a place ends, as Alt-F goes. */
export function wordEnd(text: string, place: number): number {
  const [word = ''] = /^[^\p{L}\p{N}\p{M}]*[\p{L}\p{N}\p{M}]*/u.exec(text.slice(place)) ?? [];
  return place + word.length;
}

/** Where what Ctrl-W removes begins: up to a blank. */
export function blankWordStart(text: string, place: number): number {
  return /\S*\s*$/u.exec(text.slice(0, place))?.index ?? 0;
}

/** Where the line of a place begins. */
export function lineStart(text: string, place: number): number {
  return place === 0 ? 0 : text.lastIndexOf('\n', place - 1) + 1;
}

/** Where the line of a place ends. */
export function lineEnd(text: string, place: number): number {
  const end = text.indexOf('\n', place);
  return end === -1 ? text.length : end;
}

/** Whether a text goes on after Enter: it ends with a backslash that no other one takes back. */
export function isContinued(text: string): boolean {
  return (/\\+$/.exec(text)?.[0].length ?? 0) % 2 === 1;
}
