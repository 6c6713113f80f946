import type { Tone } from '@longwire/recording/shown';
import { displayWidth, fit, wrap } from '../display-width.js';
import { sanitizeForScreen, sanitizeLine } from '../sanitize.js';
import type { Colors } from '../terminal.js';

/** Text of one look. */
export interface Span {
  readonly text: string;
  readonly tone?: Tone | 'strong' | 'heading';
}

/** A line of the screen. */
export interface ScreenLine {
  readonly spans: readonly Span[];
  /** It is the one that keys are about: shown the other way round. */
  readonly isSelected?: boolean;
}

/** The longest text of a server in one cell. */
const MAX_CELL = 300;

/** A text of a server, on one line and safe to show; it is as wide as it is measured. */
export function plain(text: string, maxLength: number = MAX_CELL): string {
  return sanitizeForScreen(sanitizeLine(text, maxLength));
}

/** How many widths are remembered: frames are much alike, and measuring is what takes longest. */
const MAX_WIDTHS = 2000;
const widths = new Map<string, number>();

function widthOf(text: string): number {
  const known = widths.get(text);
  if (known !== undefined) return known;
  const width = displayWidth(text);
  if (widths.size >= MAX_WIDTHS) widths.clear();
  widths.set(text, width);
  return width;
}

/** A line of one look. */
export function line(text: string, tone?: Span['tone']): ScreenLine {
  return { spans: [span(text, tone)] };
}

/** A text of one look. */
export function span(text: string, tone?: Span['tone']): Span {
  return tone === undefined ? { text } : { text, tone };
}

/** Spans in exactly so many columns: cut, with `…` where there was more, or filled with blanks. */
export function fitted(
  spans: readonly Span[],
  width: number,
  align: 'left' | 'right' = 'left',
): Span[] {
  const shown: Span[] = [];
  let room = width;
  for (const [index, one] of spans.entries()) {
    if (room <= 0) break;
    const isWhole = widthOf(one.text) <= room;
    const more = spans.slice(index + 1).some(({ text }) => text.trim() !== '');
    // One column is kept for the sign that something follows.
    const text =
      isWhole && !(more && widthOf(one.text) === room) ? one.text : cut(one.text, room, isWhole);
    shown.push({ ...one, text });
    room -= widthOf(text);
  }
  if (room <= 0) return shown;
  const blank = span(' '.repeat(room));
  return align === 'right' ? [blank, ...shown] : [...shown, blank];
}

function cut(text: string, room: number, isWhole: boolean): string {
  return isWhole ? fit(`${text}…`, room) : fit(text, room);
}

/** A line as lines that fit: what has no room goes on below, so far from the left. */
export function folded({ spans }: ScreenLine, width: number, indent: number): ScreenLine[] {
  const room = Math.max(1, width - indent);
  const lines: Span[][] = [[]];
  let used = 0;
  for (const one of spans) {
    const columns = widthOf(one.text);
    if (used + columns <= width) {
      lines.at(-1)?.push(one);
      used += columns;
      continue;
    }
    const text = one.text.trim();
    for (const row of text === '' ? [] : wrap(text, room)) {
      if (used > indent) {
        lines.push([span(' '.repeat(indent))]);
        used = indent;
      }
      lines.at(-1)?.push({ ...one, text: row });
      used += widthOf(row);
    }
  }
  return lines.map((shown) => ({ spans: shown }));
}

/** A line as the terminal gets it, at most so many columns wide. Without colours it is plain text. */
export function toText(
  { spans, isSelected = false }: ScreenLine,
  width: number,
  colors: Colors,
): string {
  const shown = fitted(spans, width);
  if (isSelected) return colors.inverse(shown.map(({ text }) => text).join(''));
  while (shown.length > 0 && shown.at(-1)?.text.trim() === '') shown.pop();
  return shown.map(({ text, tone }) => painted(text, tone, colors)).join('');
}

/** The colour of each look. */
const LOOKS = {
  good: 'green',
  busy: 'cyan',
  warning: 'yellow',
  bad: 'red',
  quiet: 'dim',
  strong: 'bold',
  heading: 'bold',
} as const satisfies Readonly<Record<NonNullable<Span['tone']>, keyof Colors>>;

function painted(text: string, tone: Span['tone'], colors: Colors): string {
  if (tone === undefined) return text;
  const shown = colors[LOOKS[tone]](text);
  return tone === 'heading' ? colors.blue(shown) : shown;
}
