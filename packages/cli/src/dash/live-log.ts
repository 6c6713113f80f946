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
  /** How much may wait for one reader. Default 8 MiB. */
  readonly maxReaderBytes?: number | undefined;
}

/** What happens now: for the page, which is sent large values cut, and whole for whoever asks or saves it. */
export class LiveLog {
  readonly log: LineLog;
  readonly #kept = new KeptLines();

  constructor({ maxReaderBytes, ...shows }: LiveLogOptions) {
    const about = { mode: 'live', ...shows };
    this.log = new LineLog({ now: Date.now, about: () => about, maxReaderBytes });
  }

  /** Takes the next line; `text` is the same as JSON. */
  add(line: RecordedLine, text: string): void {
    this.#kept.add(line, text);
    this.log.add(line, text);
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
