import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** One column a character, which is most of what is measured and needs no measuring; also what is cut. */
const plain = /^[ -~…]*$/;

/** Plain words with one space between them. */
const plainWords = /^[!-~…]+(?: [!-~…]+)*$/;

/** How many columns of a terminal a line takes. It holds no control characters. */
export function displayWidth(line: string): number {
  return plain.test(line) ? line.length : stringWidth(line);
}

/** The beginning of a line that fits into so many columns, with `…` where there was more. */
export function fit(line: string, width: number): string {
  return cliTruncate(line, width);
}

/** A line as lines that fit, broken between words; a word that is too long is broken anywhere. */
export function wrap(line: string, width: number): string[] {
  if (line.length <= width && plainWords.test(line)) return [line];
  return wrapAnsi(line, width, { hard: true }).split('\n');
}
