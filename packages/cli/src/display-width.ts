import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** How many columns of a terminal a line takes. It holds no control characters. */
export function displayWidth(line: string): number {
  return stringWidth(line);
}

/** The beginning of a line that fits into so many columns, with `…` where there was more. */
export function fit(line: string, width: number): string {
  return cliTruncate(line, width);
}

/** A line as lines that fit, broken between words; a word that is too long is broken anywhere. */
export function wrap(line: string, width: number): string[] {
  return wrapAnsi(line, width, { hard: true }).split('\n');
}
