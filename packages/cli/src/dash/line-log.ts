import { Picture, type RecordedLine } from '@longwire/recording';
import { cutLine } from './cut-line.js';
import { LineFeed } from './line-feed.js';

/** What a log is made with. */
export interface LineLogOptions {
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** What the snapshot has beside the picture and its time. */
  readonly about: () => object;
  /** How much may wait for one reader. Default 8 MiB. */
  readonly maxReaderBytes?: number | undefined;
}

/** Where every line goes: into the picture, and to the page. Both have large values cut. */
export class LineLog {
  readonly feed: LineFeed;
  #picture: Picture = new Picture();

  constructor({ now, about, maxReaderBytes }: LineLogOptions) {
    this.feed = new LineFeed({
      now,
      ...(maxReaderBytes !== undefined && { maxReaderBytes }),
      snapshot: () => JSON.stringify({ at: now(), ...about(), picture: this.#picture.toJSON() }),
    });
  }

  get picture(): Picture {
    return this.#picture;
  }

  /**
   * Takes the next line; `text` is the same as JSON. A quiet one is not sent: the feed is reset after it.
   */
  add(line: RecordedLine, text: string, { quiet = false }: { quiet?: boolean } = {}): void {
    const cut = cutLine(line, text);
    this.#picture.apply(cut);
    if (!quiet) this.feed.add(cut === line ? text : JSON.stringify(cut));
  }

  /** Goes on from another picture. The feed is reset after it. */
  restore(picture: Picture): void {
    this.#picture = picture;
  }
}
