/**
 * Characters that nobody sees, or that change how the rest is read: controls, direction marks, tags,
 * blanks without width, what Unicode has not assigned, and marks that pile up.
 */
const unseen =
  /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u2800]|(?<=\p{M}{2})\p{M}+/gu;

/** What makes one picture of many: joiners and variation selectors beside an emoji are as they should be. */
const emoji = /\p{Extended_Pictographic}(?:\ufe0f?(?:\u200d\p{Extended_Pictographic})*\ufe0f?)/gu;

/** The longest text of a server that one place of the page shows. */
export const MAX_TEXT = 64 * 1024;

/** A server's text of many lines, with what nobody would see written as its number: `⟨U+202E⟩`. */
export function visibleText(text: string): string {
  const normal = text.replace(/\r\n?/g, '\n');
  let shown = '';
  let from = 0;
  for (const { index, 0: found } of normal.matchAll(emoji)) {
    shown += written(normal.slice(from, index)) + found;
    from = index + found.length;
  }
  return shown + written(normal.slice(from));
}

/** A server's text on one line, at most so many characters long. */
export function visibleLine(text: string, maxLength = 300): string {
  const line = visibleText(text.slice(0, maxLength + 1))
    .replace(/\s+/g, ' ')
    .trim();
  return text.length > maxLength || line.length > maxLength
    ? `${line.slice(0, maxLength - 1)}…`
    : line;
}

function written(text: string): string {
  return text.replace(unseen, (found) => {
    if (found === '\n' || found === '\t') return found;
    return Array.from(found, (one) => `⟨U+${hexOf(one)}⟩`).join('');
  });
}

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
