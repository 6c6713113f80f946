import { open, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip, type ZlibOptions } from 'node:zlib';
import {
  LineReader,
  Picture,
  RecordingError,
  type PictureData,
  type RecordedLine,
} from '@longwire/recording';
import { usageError } from '../command-error.js';
import { cutLine } from './cut-line.js';
import { readLines, type FileLine } from './recording-reader.js';

const pack = promisify<string, ZlibOptions, Buffer>(gzip);
const unpack = promisify<Buffer, Buffer>(gunzip);

/** Pictures that are kept of the way, at most. */
const MAX_CHECKPOINTS = 32;
/** Less is read through faster than a picture is unpacked. */
const MIN_DISTANCE_BYTES = 4 * 1024 * 1024;
/** How far the places are apart that are known by their time. */
const PLACE_DISTANCE_BYTES = 256 * 1024;

/** A place in the file: what comes there is not earlier than this. */
interface Place {
  readonly offset: number;
  readonly at: number;
}

/** The picture at a place, packed. */
interface Checkpoint extends Place {
  readonly packed: Buffer;
}

/**
 * What is known of a recording: where which time is, and pictures of the way. The file is read through
 * once, and what was read of it can be shown meanwhile. Its lines are not kept; what is kept is bounded, but
 * for a few bytes for each 256 KiB.
 */
export class RecordingIndex {
  readonly file: FileHandle;
  readonly #bytes: number;
  readonly #chunks: AsyncGenerator<readonly FileLine[], void, undefined>;
  readonly #reader = new LineReader();
  readonly #picture = new Picture();
  readonly #places: Place[] = [];
  readonly #checkpoints: Checkpoint[] = [];
  #from = 0;
  #lines = 0;
  /** Where the next line begins, in bytes. */
  #next = 0;
  #isWhole = false;
  #whole: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(file: FileHandle, bytes: number) {
    this.file = file;
    this.#bytes = bytes;
    this.#chunks = readLines(file, 0);
  }

  /**
   * Opens a recording, and begins to read it through. Fulfilled when its first line is known.
   *
   * @throws LongwireError (usage) if it cannot be read, or is no recording.
   */
  static async open(path: string): Promise<RecordingIndex> {
    const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
      throw usageError(`--replay "${path}" cannot be read: ${reason}`, { cause });
    });
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw usageError(`--replay "${path}" is not a file`);
      const index = new RecordingIndex(file, stats.size);
      while (index.#lines === 0 && !index.#isWhole) await index.#readOn();
      index.#whole = index.#readThrough();
      // Whoever waits for it is told.
      index.#whole.catch(() => undefined);
      return index;
    } catch (error) {
      await file.close();
      if (!(error instanceof RecordingError)) throw error;
      throw usageError(`--replay "${path}" cannot be shown: ${error.message}`, { cause: error });
    }
  }

  /** Fulfilled when the file was read through, or closed; rejected if it cannot be read any more. */
  get whole(): Promise<void> {
    return this.#whole;
  }

  /** The time of its first line, in milliseconds since 1970. */
  get from(): number {
    return this.#from;
  }

  /** The latest time of the lines that were read so far. */
  get to(): number {
    return Math.max(this.#picture.at, this.#from);
  }

  /** How much of it was read: 1 is all of it. */
  get read(): number {
    return this.#isWhole ? 1 : Math.min(this.#next / this.#bytes, 0.999);
  }

  /** How many lines it has, of what was read so far. */
  get lines(): number {
    return this.#lines;
  }

  /** How many lines are left out because they are none. */
  get unread(): number {
    const { unknown, broken, tooLarge } = this.#reader.skipped;
    return unknown + broken + tooLarge;
  }

  /** Where to begin to look for a line of that time, in bytes. */
  offsetBefore(at: number): number {
    return this.#places.findLast((place) => place.at < at)?.offset ?? 0;
  }

  /** The last picture that is kept of the time before. */
  checkpointBefore(at: number): Checkpoint | undefined {
    return this.#checkpoints.findLast((checkpoint) => checkpoint.at < at);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#whole.catch(() => undefined);
    await this.file.close();
  }

  async #readThrough(): Promise<void> {
    while (!this.#isWhole && !this.#isClosed) await this.#readOn();
  }

  async #readOn(): Promise<void> {
    const { value: chunk, done } = await this.#chunks.next();
    if (done === true) {
      // Without a header, it says so.
      this.#reader.end();
      this.#isWhole = true;
      return;
    }
    if (this.#next - (this.#checkpoints.at(-1)?.offset ?? 0) >= this.#distance) {
      const [offset, at] = [this.#next, this.#picture.at];
      const packed = await packPicture(this.#picture);
      this.#checkpoints.push({ offset, at, packed });
    }
    for (const { text, next } of chunk) {
      const [line] = this.#reader.push(`${text}\n`);
      if (line !== undefined) this.#take(line, text);
      this.#next = next;
    }
  }

  #take(line: RecordedLine, text: string): void {
    if (this.#lines++ === 0) this.#from = line.at;
    const last = this.#places.at(-1)?.offset ?? -PLACE_DISTANCE_BYTES;
    if (this.#next - last >= PLACE_DISTANCE_BYTES) {
      this.#places.push({ offset: this.#next, at: this.to });
    }
    this.#picture.apply(cutLine(line, text));
  }

  get #distance(): number {
    return Math.max(MIN_DISTANCE_BYTES, this.#bytes / MAX_CHECKPOINTS);
  }
}

/** The picture of a checkpoint. */
export async function unpackPicture({ packed }: Checkpoint): Promise<Picture> {
  return Picture.from(JSON.parse((await unpack(packed)).toString('utf8')) as PictureData);
}

function packPicture(picture: Picture): Promise<Buffer> {
  return pack(JSON.stringify(picture.toJSON()), { level: 1 });
}
