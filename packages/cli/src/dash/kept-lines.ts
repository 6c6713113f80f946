import type { CallLine, EndLine, RecordedLine, ServerLine } from '@longwire/recording';

/** How much is kept in all. */
const MAX_BYTES = 32 * 1024 * 1024;

/** A line as it is kept. */
interface KeptLine {
  readonly line: Pick<RecordedLine, 'type'> & { readonly call?: number };
  readonly text: string;
}

/**
 * The newest lines, within a bound. Of those that are dropped it keeps what a server is, has, and how it
 * was last; the others are counted.
 */
export class KeptLines {
  readonly #maxBytes: number;
  #lines: KeptLine[] = [];
  /** How many at the beginning of the list are dropped already. */
  #dropped = 0;
  #bytes = 0;
  /** What stands, of lines that were dropped, by server and kind. */
  readonly #standing = new Map<string, string>();
  #lost = 0;
  /** Where a call began and ended, as JSON. */
  readonly #calls = new Map<number, { begin?: string; end?: string }>();

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Adds a line; `text` is the same as JSON. */
  add(line: RecordedLine, text: string): void {
    const call = 'call' in line ? line.call : undefined;
    this.#lines.push({
      line: { type: line.type, ...(call !== undefined && { call }) },
      text,
    });
    this.#bytes += text.length;
    if (line.type === 'call') this.#calls.set(line.call, { begin: text });
    if (line.type === 'end')
      this.#calls.set(line.call, { ...this.#calls.get(line.call), end: text });
    while (this.#bytes > this.#maxBytes && this.#dropped < this.#lines.length - 1) this.#drop();
    // Moving all lines for each one would take long.
    if (this.#dropped > this.#lines.length / 2) {
      this.#lines = this.#lines.slice(this.#dropped);
      this.#dropped = 0;
    }
  }

  /** What is kept of a call: the lines of its begin and end. */
  call(call: number): { readonly begin?: CallLine; readonly end?: EndLine } {
    const { begin, end } = this.#calls.get(call) ?? {};
    return {
      ...(begin !== undefined && { begin: JSON.parse(begin) as CallLine }),
      ...(end !== undefined && { end: JSON.parse(end) as EndLine }),
    };
  }

  /** All of it as JSON, a line each. */
  *lines(): Iterable<string> {
    // More may come while they are read.
    const standing = [...this.#standing.values()];
    const kept = this.#lines.slice(this.#dropped);
    const [first] = kept;
    const at = first === undefined ? 0 : (JSON.parse(first.text) as { at: number }).at;
    yield* standing;
    if (this.#lost > 0) yield JSON.stringify({ type: 'gap', at, count: this.#lost });
    for (const { text } of kept) yield text;
  }

  #drop(): void {
    const kept = this.#lines[this.#dropped++];
    if (kept === undefined) return;
    const { line, text } = kept;
    this.#bytes -= text.length;
    switch (line.type) {
      case 'server':
      case 'state':
      case 'health':
      case 'sessions':
      case 'catalogue':
        this.#stand(text);
        break;
      default:
        this.#lost++;
    }
    if (line.call === undefined) return;
    const call = this.#calls.get(line.call);
    // The begin of a call is dropped before its end.
    if (line.type === 'call' && call?.end !== undefined) delete call.begin;
    else if (line.type === 'call' || line.type === 'end') this.#calls.delete(line.call);
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
