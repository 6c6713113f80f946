import { Buffer } from 'node:buffer';
import type { CallLine, EndLine, GapLine, RecordedLine, ServerLine } from '@longwire/recording';

/** How much is kept in all. */
const MAX_BYTES = 32 * 1024 * 1024;
/** How much is dropped at a time, of the whole. */
const CHUNKS = 128;
const LINE_FEED = 0x0a;

/**
 * Lines behind each other as UTF-8, outside of the heap: what is kept for long would be moved by each
 * garbage collection, while calls wait.
 */
interface Chunk {
  /** Where it begins, of all that ever was kept. */
  readonly start: number;
  readonly bytes: Buffer;
  used: number;
  readonly types: RecordedLine['type'][];
  /** The number of each line's call; -1 for a line that has none. */
  readonly calls: number[];
}

/**
 * The newest lines, within a bound. Of those that are dropped it keeps what a server is, has, and how it
 * was last; the others are counted.
 */
export class KeptLines {
  readonly #maxBytes: number;
  #chunks: Chunk[] = [];
  #bytes = 0;
  /** What stands, of lines that were dropped, by server and kind. */
  readonly #standing = new Map<string, string>();
  #lost = 0;
  /** Where the lines are with which a call began and ended. */
  readonly #begins = new Map<number, number>();
  readonly #ends = new Map<number, number>();

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Adds a line; `text` is the same as JSON. */
  add(line: RecordedLine, text: string): void {
    const length = Buffer.byteLength(text) + 1;
    const chunk = this.#chunkFor(length);
    if (line.type === 'call') this.#begins.set(line.call, chunk.start + chunk.used);
    if (line.type === 'end') this.#ends.set(line.call, chunk.start + chunk.used);
    chunk.bytes.write(text, chunk.used);
    chunk.bytes[chunk.used + length - 1] = LINE_FEED;
    chunk.used += length;
    chunk.types.push(line.type);
    chunk.calls.push('call' in line ? line.call : -1);
    this.#bytes += length;
    while (this.#bytes > this.#maxBytes && this.#chunks.length > 1) this.#drop();
  }

  /** What is kept of a call: the lines of its begin and end. */
  call(call: number): { readonly begin?: CallLine; readonly end?: EndLine } {
    const begin = this.#lineAt(this.#begins.get(call));
    const end = this.#lineAt(this.#ends.get(call));
    return {
      ...(begin !== undefined && { begin: JSON.parse(begin) as CallLine }),
      ...(end !== undefined && { end: JSON.parse(end) as EndLine }),
    };
  }

  /** All of it as JSON, a line each. */
  *lines(): Iterable<string> {
    // More may come while they are read.
    const standing = [...this.#standing.values()];
    const kept = this.#chunks.map(({ bytes, used }) => bytes.subarray(0, used));
    const lost = this.#lost;
    yield* standing;
    for (const [index, bytes] of kept.entries()) {
      const texts = textsOf(bytes);
      if (index === 0 && lost > 0) {
        const { at } = JSON.parse(texts[0] ?? '{"at":0}') as { at: number };
        yield JSON.stringify({ type: 'gap', at, count: lost });
      }
      yield* texts;
    }
  }

  /** The last chunk, or a new one behind it where that has no room for so many bytes. */
  #chunkFor(length: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.used + length <= last.bytes.length) return last;
    const size = Math.max(length, Math.ceil(this.#maxBytes / CHUNKS));
    const start = last === undefined ? 0 : last.start + last.used;
    const chunk: Chunk = {
      start,
      bytes: Buffer.allocUnsafeSlow(size),
      used: 0,
      types: [],
      calls: [],
    };
    this.#chunks.push(chunk);
    return chunk;
  }

  #lineAt(place: number | undefined): string | undefined {
    if (place === undefined) return undefined;
    const chunk = this.#chunks.findLast(({ start }) => start <= place);
    if (chunk === undefined) return undefined;
    const from = place - chunk.start;
    return chunk.bytes.toString('utf8', from, chunk.bytes.indexOf(LINE_FEED, from));
  }

  #drop(): void {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return;
    this.#bytes -= chunk.used;
    const texts = textsOf(chunk.bytes.subarray(0, chunk.used));
    for (const [index, type] of chunk.types.entries()) {
      const call = chunk.calls[index] ?? -1;
      switch (type) {
        case 'server':
        case 'state':
        case 'health':
        case 'sessions':
        case 'catalogue':
          this.#stand(texts[index] ?? '');
          break;
        case 'call':
          this.#begins.delete(call);
          this.#lost++;
          break;
        case 'end':
          this.#ends.delete(call);
          this.#lost++;
          break;
        case 'gap':
          this.#lost += (JSON.parse(texts[index] ?? '') as GapLine).count;
          break;
        default:
          this.#lost++;
      }
    }
  }

  #stand(text: string): void {
    const line = JSON.parse(text) as Extract<RecordedLine, { server: string }>;
    const key = JSON.stringify([line.server, line.type, 'kind' in line ? line.kind : '']);
    const former = line.type === 'server' ? this.#standing.get(key) : undefined;
    const whole =
      former === undefined
        ? text
        : JSON.stringify({ ...(JSON.parse(former) as ServerLine), ...(line as ServerLine) });
    this.#standing.set(key, whole);
  }
}

function textsOf(bytes: Buffer): string[] {
  return bytes.toString('utf8').split('\n').slice(0, -1);
}
