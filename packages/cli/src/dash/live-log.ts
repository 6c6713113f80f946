import { Readable } from 'node:stream';
import { VERSION } from '@longwire/client/internal';
import { createHeader, type CallPicture, type RecordedLine } from '@longwire/recording';
import { KeptLines } from './kept-lines.js';
import { LineLog } from './line-log.js';

/** What a live log is made with. */
export interface LiveLogOptions {
  /** Whether the page may call the servers. */
  readonly canCall: boolean;
  /** Whether the lines have arguments and results. */
  readonly hasValues: boolean;
  /** Removes secrets from what a server sent. */
  readonly redact?: ((value: unknown) => unknown) | undefined;
  /** Given every line as JSON, such as to write it down, and as it is. */
  readonly onLine?: ((text: string, line: RecordedLine) => void) | undefined;
  /** How much may wait for one reader. Default 8 MiB. */
  readonly maxReaderBytes?: number | undefined;
}

/**
 * What happens now: for the page, which is sent large values cut, and whole for whoever asks or saves it.
 * Lines wait until what the event loop is at is done, so that whoever makes a call gets its result first;
 * none waits longer than one turn of the loop.
 */
export class LiveLog {
  readonly log: LineLog;
  readonly #kept = new KeptLines();
  readonly #take: (line: RecordedLine) => void;
  #waiting: RecordedLine[] = [];
  #immediate: NodeJS.Immediate | undefined;

  constructor({ redact, onLine, maxReaderBytes, ...shows }: LiveLogOptions) {
    const about = { mode: 'live', ...shows };
    this.log = new LineLog({ now: Date.now, about: () => about, maxReaderBytes });
    this.#take = (recorded) => {
      const line = redact === undefined ? recorded : (redact(recorded) as RecordedLine);
      const text = JSON.stringify(line);
      onLine?.(text, line);
      this.#kept.add(line, text);
      this.log.add(line, text);
    };
  }

  /** Takes the next line. */
  add(line: RecordedLine): void {
    this.#waiting.push(line);
    this.#immediate ??= setImmediate(() => this.flush());
  }

  /** Takes over what waits, at once. Lines with which that fails are counted in a `gap`. */
  flush(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    const lines = this.#waiting;
    this.#waiting = [];
    let lost = 0;
    for (const line of lines) {
      try {
        this.#take(line);
      } catch {
        lost++;
      }
    }
    if (lost > 0) this.#take({ type: 'gap', at: Date.now(), count: lost });
  }

  /** A call with its values as far as they are kept; `undefined` for one that is not known. */
  call(call: number): CallPicture | undefined {
    const found = this.log.picture.find(call);
    if (found === undefined) return undefined;
    const { begin, end } = this.#kept.call(call);
    return {
      ...found,
      ...(begin?.arguments !== undefined && { arguments: begin.arguments }),
      ...(found.end !== undefined && {
        end: { ...found.end, ...(end?.result !== undefined && { result: end.result }) },
      }),
    };
  }

  /** What is kept, as a recording. */
  recording(): Readable {
    const header = JSON.stringify(createHeader(`longwire/${VERSION}`));
    const lines = this.#kept.lines();
    return Readable.from(
      (function* () {
        yield `${header}\n`;
        for (const line of lines) yield `${line}\n`;
      })(),
    );
  }
}
