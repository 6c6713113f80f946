import { isCut } from '@longwire/recording';
import { formatBytes, isObject, prettyJson } from '@longwire/recording/shown';
import { displayWidth } from '../display-width.js';
import { sanitizeForScreen } from '../sanitize.js';
import { line, plain, type ScreenLine } from './spans.js';

/** The longest text of one value that is shown, and the most lines: all of it is in a recording. */
const MAX_TEXT = 32 * 1024;
const MAX_LINES = 5000;

/** One column a character, as all of Latin is. */
const narrowText = /^[ -~\u00a1-\u024f]*$/;
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** What values came to last: they are drawn again with each frame, and long ones take long. */
const known = new WeakMap<object, { width: number; lines: readonly ScreenLine[] }>();

/** A value as lines of indented JSON, and what a tool answered as its texts. Of what is long, the beginning. */
export function valueLines(value: unknown, width: number): readonly ScreenLine[] {
  if (typeof value !== 'object' || value === null) return jsonLines(value, width);
  const before = known.get(value);
  if (before?.width === width) return before.lines;
  const lines = resultLines(value, width);
  known.set(value, { width, lines });
  return lines;
}

function jsonLines(value: unknown, width: number): ScreenLine[] {
  const lines = textLines(prettyJson(value), width);
  return isCut(value) ? [...lines, restLine(value.bytes)] : lines;
}

function resultLines(value: object, width: number): ScreenLine[] {
  if (!isObject(value) || !Array.isArray(value['content'])) return jsonLines(value, width);
  const { content, structuredContent } = value;
  return [
    ...content.flatMap((block: unknown) => blockLines(block, width)),
    ...(structuredContent === undefined ? [] : jsonLines(structuredContent, width)),
  ];
}

function blockLines(block: unknown, width: number): ScreenLine[] {
  if (!isObject(block)) return jsonLines(block, width);
  const { type, text, data, mimeType } = block;
  if (type === 'text' && typeof text === 'string') return textLines(text, width);
  if (typeof data !== 'string') return jsonLines(block, width);
  const about = [type, mimeType].filter((word) => typeof word === 'string').join(' ');
  return [line(`(${plain(about, 80)}, ${formatBytes(Math.round(data.length * 0.75))})`, 'quiet')];
}

/** A server's text as lines that fit, safe to show. What is longer goes on below. */
function textLines(text: string, width: number): ScreenLine[] {
  const lines = sanitizeForScreen(text.slice(0, MAX_TEXT))
    .replaceAll('\t', '  ')
    .split('\n')
    .slice(0, MAX_LINES)
    .flatMap((row) => broken(row, width))
    .map((row) => line(row));
  return text.length > MAX_TEXT ? [...lines, restLine(text.length)] : lines;
}

function restLine(size: number): ScreenLine {
  return line(`… ${formatBytes(size)} in all`, 'quiet');
}

/** A line as lines of at most so many columns, broken anywhere: blanks of JSON and of code are kept. */
function broken(text: string, width: number): string[] {
  if (narrowText.test(text)) {
    const count = Math.max(1, Math.ceil(text.length / width));
    return Array.from({ length: count }, (_, index) =>
      text.slice(index * width, (index + 1) * width),
    );
  }
  const lines: string[] = [];
  let [begun, used] = ['', 0];
  for (const { segment } of characters.segment(text)) {
    const columns = displayWidth(segment);
    if (used + columns > width && used > 0) {
      lines.push(begun);
      [begun, used] = ['', 0];
    }
    begun += segment;
    used += columns;
  }
  return [...lines, begun];
}
