import {
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
} from 'yaml';
import type { Position, WorkflowProblem } from './errors.js';

/** How deep a workflow may be nested; some ten levels are usual. */
const MAX_DEPTH = 100;

const TOO_DEEP = `nested deeper than ${MAX_DEPTH} levels`;

/** A path in the file, as in `['triggers', 0, 'where']`. */
export type Path = readonly PropertyKey[];

/** A path as people write it: `triggers[0].then[1]`. */
export function written(path: Path): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

/** The text of a file, parsed, and where in it everything is. */
export class SourceMap {
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  constructor(text: string) {
    this.#text = text;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
  }

  /** The YAML errors of the text. */
  get problems(): WorkflowProblem[] {
    return this.#document.errors.map(({ message, pos: [offset] }) => ({
      ...this.#position(offset),
      // YAML's reader ran out of stack.
      message: /call stack/.test(message) ? TOO_DEEP : message,
    }));
  }

  /**
   * The content.
   *
   * @throws Error for an alias that makes it grow without bounds, for content that is nested too deep,
   * and for a name that an object cannot keep.
   */
  value(): unknown {
    const value = this.#document.toJS({ maxAliasCount: 100 }) as unknown;
    check(value, 0);
    return value;
  }

  /** Where the value at a path begins; if it is missing, where its parent begins. */
  at(path: Path): Position {
    const node = this.#node(path);
    if (node?.range) return this.#position(node.range[0]);
    return path.length === 0 ? { line: 1, column: 1 } : this.at(path.slice(0, -1));
  }

  /** The value at a path, as plain data; `undefined` where there is none. */
  valueAt(path: Path): unknown {
    const node = this.#node(path);
    return node === undefined ? undefined : (node.toJS(this.#document) as unknown);
  }

  /** Where the key at the end of a path is; if it is not there, where its map begins. */
  atKey(path: Path): Position {
    const key = path.at(-1);
    const node = this.#node(path.slice(0, -1));
    const found = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.key
      : undefined;
    return isNode(found) && found.range ? this.#position(found.range[0]) : this.at(path);
  }

  /** The position of a character within a part of the text at a path. */
  atOffset(path: Path, part: string, offset: number): Position {
    const node = this.#node(path);
    if (!node?.range) return this.at(path);
    const [start, end] = node.range;
    // In quotes and blocks the part may be written otherwise; then its beginning is used.
    const found = this.#text.slice(start, end).indexOf(part);
    return this.#position(found === -1 ? start : start + found + Math.min(offset, part.length));
  }

  #node(path: Path): Node | undefined {
    const node = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    return isNode(node) ? node : undefined;
  }

  #position(offset: number): Position {
    const { line, col: column } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, column) };
  }
}

function check(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(TOO_DEEP);
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) {
    throw new Error('"__proto__" cannot be a name here: an object would lose it');
  }
  for (const item of Object.values(value)) check(item, depth + 1);
}
