import { FORMAT_VERSION, type RecordedLine, type RecordingHeader } from './format.js';
import { lineOf } from './line-checks.js';

/** What a reader of lines takes of one of them. */
export interface LineBounds {
  /** Characters of one line. Default 16 Mi. */
  readonly maxLineChars?: number;
  /** How deep arrays and objects may be nested. Default 200. */
  readonly maxDepth?: number;
}

/** How many lines were left out, and why. */
export interface SkippedLines {
  /** Of a type that this version does not know. */
  unknown: number;
  /** No JSON, or not what a line of its type is. */
  broken: number;
  /** Too long, or nested too deep. */
  tooLarge: number;
}

/** Why a text is no recording that can be read. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
  /** `not-a-recording`: its first line is no header. `version`: its format is of another version. */
  readonly code: 'not-a-recording' | 'version';

  constructor(code: RecordingError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const DEFAULT_BOUNDS: Required<LineBounds> = { maxLineChars: 16 * 1024 * 1024, maxDepth: 200 };

/** The first line of a recording that begins now. `by` is what writes it, such as `longwire/0.1.0`. */
export function createHeader(by: string, at: number = Date.now()): RecordingHeader {
  return { type: 'recording', version: FORMAT_VERSION, at, by };
}

/** A line as a recording has it, with its end. */
export function toLine(line: RecordedLine | RecordingHeader): string {
  return `${JSON.stringify(line)}\n`;
}

/**
 * Reads the text of a recording, chunk by chunk. Lines that it does not understand are left out and
 * counted, and so is a last line that was not written to its end.
 */
export class LineReader {
  readonly #bounds: Required<LineBounds>;
  readonly #skipped: SkippedLines = { unknown: 0, broken: 0, tooLarge: 0 };
  #header: RecordingHeader | undefined;
  /** The beginning of a line whose end has not come yet. */
  #begun: string[] = [];
  #begunChars = 0;

  constructor(bounds: LineBounds = {}) {
    this.#bounds = { ...DEFAULT_BOUNDS, ...bounds };
  }

  /** The first line; `undefined` before it has come. */
  get header(): RecordingHeader | undefined {
    return this.#header;
  }

  /** What was left out so far. */
  get skipped(): Readonly<SkippedLines> {
    return this.#skipped;
  }

  /**
   * The lines that end in this chunk.
   *
   * @throws RecordingError if the first line is not the header of a recording of this version.
   */
  push(chunk: string): RecordedLine[] {
    const lines: RecordedLine[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf('\n', start);
      this.#keep(chunk.slice(start, end === -1 ? undefined : end));
      if (end === -1) return lines;
      this.#take(lines);
      start = end + 1;
    }
  }

  /**
   * The last line, if it is whole without an end.
   *
   * @throws RecordingError if there was no header.
   */
  end(): RecordedLine[] {
    const lines: RecordedLine[] = [];
    this.#take(lines);
    if (this.#header === undefined) throw notARecording('it is empty');
    return lines;
  }

  /** What is longer than a line may be is not kept; only its length is. */
  #keep(part: string): void {
    this.#begunChars += part.length;
    if (this.#begunChars <= this.#bounds.maxLineChars) this.#begun.push(part);
    else this.#begun = [];
  }

  #take(lines: RecordedLine[]): void {
    const text = this.#begun.join('').trim();
    const isTooLong = this.#begunChars > this.#bounds.maxLineChars;
    this.#begun = [];
    this.#begunChars = 0;
    if (isTooLong) {
      if (this.#header === undefined) throw notARecording('its first line is too long');
      this.#skipped.tooLarge++;
      return;
    }
    if (text === '') return;
    if (this.#header === undefined) {
      this.#header = parseHeader(text);
      return;
    }
    const parsed = this.#parse(text);
    if (typeof parsed === 'string') this.#skipped[parsed]++;
    else lines.push(parsed);
  }

  #parse(text: string): RecordedLine | keyof SkippedLines {
    if (isDeeper(text, this.#bounds.maxDepth)) return 'tooLarge';
    const value = parseObject(text);
    if (value === undefined) return 'broken';
    const line = lineOf(value);
    if (line === undefined) return 'unknown';
    return line === false ? 'broken' : line;
  }
}

/** A recording that is in memory as a whole. */
export interface Recording {
  readonly header: RecordingHeader;
  readonly lines: readonly RecordedLine[];
  readonly skipped: Readonly<SkippedLines>;
}

/**
 * Reads a recording that is in memory; a larger one is read by a {@link LineReader}.
 *
 * @throws RecordingError if it is none, or of another version.
 */
export function parseRecording(text: string, bounds?: LineBounds): Recording {
  const reader = new LineReader(bounds);
  const lines = reader.push(text);
  for (const line of reader.end()) lines.push(line);
  return { header: reader.header as RecordingHeader, lines, skipped: reader.skipped };
}

function parseHeader(text: string): RecordingHeader {
  const value = isDeeper(text, 2) ? undefined : parseObject(text);
  if (value?.['type'] !== 'recording') throw notARecording('its first line is no header');
  const { version, at, by } = value;
  if (version !== FORMAT_VERSION) {
    throw new RecordingError(
      'version',
      `the recording has version ${JSON.stringify(version)?.slice(0, 20)} of the format; this program reads version ${FORMAT_VERSION}`,
    );
  }
  if (typeof at !== 'number' || typeof by !== 'string') throw notARecording('its header is broken');
  return { type: 'recording', version, at, by };
}

function notARecording(why: string): RecordingError {
  return new RecordingError('not-a-recording', `not a recording: ${why}`);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a JSON text is nested deeper. Looked at before it is parsed: what is deep ends the stack. */
function isDeeper(text: string, maxDepth: number): boolean {
  if (text.length <= maxDepth) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) at = endOfString(text, at);
    else if (character === OPEN_ARRAY || character === OPEN_OBJECT) {
      if (++depth > maxDepth) return true;
    } else if (character === CLOSE_ARRAY || character === CLOSE_OBJECT) depth--;
  }
  return false;
}

/** Where the string ends that begins here; the end of the text if it does not. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

/** Whether an odd number of backslashes stands before a quotation mark. */
function isEscaped(text: string, quote: number): boolean {
  let before = quote - 1;
  while (text.charCodeAt(before) === BACKSLASH) before--;
  return (quote - before) % 2 === 0;
}

const QUOTE = 0x22;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
