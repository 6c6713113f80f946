let wideText: typeof import('./wide-text.js') | undefined;

/** One column a character, which is most of what is measured and needs no measuring; also what is cut. */
const plain = /^[ -~…]*$/;

/** Plain words with one space between them. */
const plainWords = /^[!-~…]+(?: [!-~…]+)*$/;

/**
 * Loads what measures text that is not plain. Without it every character counts as one column, which
 * is enough where nothing is laid out.
 */
export async function loadWideText(): Promise<void> {
  wideText ??= await import('./wide-text.js');
}

/** How many columns of a terminal a line takes. It holds no control characters. */
export function displayWidth(line: string): number {
  if (wideText === undefined || plain.test(line)) return line.length;
  return wideText.stringWidth(line);
}

/** The beginning of a line that fits into so many columns, with `…` where there was more. */
export function fit(line: string, width: number): string {
  if (line.length <= width && plain.test(line)) return line;
  return wideText?.cliTruncate(line, width) ?? line.slice(0, width);
}

/** A line as lines that fit, broken between words; a word that is too long is broken anywhere. */
export function wrap(line: string, width: number): string[] {
  if (line.length <= width && plainWords.test(line)) return [line];
  return wideText?.wrapAnsi(line, width, { hard: true }).split('\n') ?? [line];
}
