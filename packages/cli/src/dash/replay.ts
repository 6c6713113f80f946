import { basename } from 'node:path';
import { Readable } from 'node:stream';
import {
  parseFilter,
  Picture,
  type CallPicture,
  type Filter,
  type RecordedLine,
} from '@longwire/recording';
import { LineLog } from './line-log.js';
import { PageError } from './page-error.js';
import type { PageSource, ReplayPosition, ReplayRequest } from './page-source.js';
import { RecordingIndex, unpackPicture } from './recording-index.js';
import { createLineParser, readBytes, readLines, type FileLine } from './recording-reader.js';

/** How often the time of the replay goes on, in milliseconds. */
const TICK_MS = 100;
/** More lines in one step are shown as a new picture. */
const MAX_LINES_A_STEP = 5000;
/** How often that may be, in milliseconds: a picture is large. */
const NEW_PICTURE_MS = 500;
const MAX_SPEED = 1000;

/** A recording that is shown again. */
export class Replay implements PageSource {
  readonly mode = 'replay';
  readonly log: LineLog;
  readonly #index: RecordingIndex;
  readonly #name: string;
  #lines: LineCursor;
  #at: number;
  #speed = 1;
  #playing = true;
  #tickedAt = performance.now();
  #pictureAt = -NEW_PICTURE_MS;
  #toldRead = 0;
  /** How often something was asked of it. */
  #asked = 0;
  #timer: NodeJS.Timeout | undefined;
  /** What is under way with the file: one thing at a time. */
  #working: Promise<void> = Promise.resolve();

  private constructor(index: RecordingIndex, path: string) {
    this.#index = index;
    this.#name = basename(path);
    this.#at = index.from;
    this.#lines = new LineCursor(index, 0);
    this.log = new LineLog({
      now: () => this.#at,
      about: () => ({ mode: 'replay', canCall: false, hasValues: true, replay: this.position }),
    });
  }

  /**
   * Begins to show a recording. It is read through meanwhile, and can be shown as far as it was read.
   *
   * @throws LongwireError (usage) if it cannot be read, or is no recording.
   */
  static async open(path: string): Promise<Replay> {
    const replay = new Replay(await RecordingIndex.open(path), path);
    await replay.#work(() => replay.#advance(replay.#at));
    replay.#timer = setInterval(() => replay.#tick(), TICK_MS);
    return replay;
  }

  /** Fulfilled when the file was read through, or the replay closed; rejected if it cannot be read any more. */
  get whole(): Promise<void> {
    return this.#index.whole;
  }

  /** How many lines the recording has as far as it was read, and how many were left out because they are none. */
  get size(): Pick<RecordingIndex, 'lines' | 'unread'> {
    return this.#index;
  }

  /**
   * Goes to a time, changes the speed, halts, or goes on. Whatever is asked ends a search for the next match.
   *
   * @throws PageError for what cannot be.
   */
  async control({ at, speed, playing, next }: ReplayRequest): Promise<void> {
    if (at !== undefined && !Number.isFinite(at)) throw wrong('at is a time in milliseconds');
    if (speed !== undefined && !(speed > 0 && speed <= MAX_SPEED)) {
      throw wrong(`speed is above 0 and at most ${MAX_SPEED}`);
    }
    const asked = ++this.#asked;
    await this.#work(async () => {
      if (speed !== undefined) this.#speed = speed;
      if (playing !== undefined) {
        this.#playing = playing;
        this.#tickedAt = performance.now();
      }
      const isAgain = playing === true && this.#at >= this.#index.to;
      if (at !== undefined) await this.#seek(at);
      else if (isAgain) await this.#seek(this.#index.from);
      if (next !== undefined) await this.#goToNext(parseFilter(next), () => asked === this.#asked);
      this.#tell();
    });
  }

  /** A call with all that the file has of it. */
  async call(call: number): Promise<CallPicture | undefined> {
    const found = this.log.picture.find(call);
    if (found === undefined) return undefined;
    const begin = await this.#find(found.at, (line) => line.type === 'call' && line.call === call);
    const { end: over } = found;
    const end =
      over && (await this.#find(over.at, (line) => line.type === 'end' && line.call === call));
    return {
      ...found,
      ...(begin?.type === 'call' && { arguments: begin.arguments }),
      ...(over !== undefined && {
        end: { ...over, ...(end?.type === 'end' && { result: end.result }) },
      }),
    };
  }

  /** The file as it is. */
  recording(): Readable {
    return Readable.from(readBytes(this.#index.file), { objectMode: false });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    // A search ends.
    this.#asked++;
    await this.log.feed.close();
    await this.#working;
    await this.#index.close();
  }

  get position(): ReplayPosition {
    const { from, to, read } = this.#index;
    return {
      from,
      to,
      ...(read < 1 && { read }),
      at: this.#at,
      speed: this.#speed,
      playing: this.#playing,
      file: this.#name,
    };
  }

  #tell(): void {
    this.log.feed.send('replay', this.position);
  }

  #tick(): void {
    void this.#work(async () => {
      const now = performance.now();
      if (now - this.#pictureAt < NEW_PICTURE_MS) return;
      const passedMs = (now - this.#tickedAt) * this.#speed;
      this.#tickedAt = now;
      const { read } = this.#index;
      if (!this.#playing && read === this.#toldRead) return;
      if (this.#playing) {
        await this.#advance(Math.min(this.#at + passedMs, this.#index.to));
        // What is not read yet goes on.
        if (read === 1 && this.#at >= this.#index.to) this.#playing = false;
      }
      this.#toldRead = read;
      this.#tell();
    });
  }

  async #seek(at: number): Promise<void> {
    await this.#jump(Math.min(Math.max(at, this.#index.from), this.#index.to));
  }

  async #advance(at: number): Promise<void> {
    if (!(await this.#show(at, { quiet: false }))) await this.#jump(at);
  }

  /** Shows a time as a new picture, from the one that is kept before it. */
  async #jump(at: number): Promise<void> {
    const before = this.#index.checkpointBefore(at);
    if (at < this.#at || (before !== undefined && before.at > this.#at)) {
      this.log.restore(before === undefined ? new Picture() : await unpackPicture(before));
      this.#lines = new LineCursor(this.#index, before?.offset ?? 0);
    }
    await this.#show(at, { quiet: true });
    this.#reset();
  }

  #reset(): void {
    this.log.feed.reset();
    this.#pictureAt = performance.now();
  }

  /** Goes on until something fits. Nothing of the way is kept but its picture. */
  async #goToNext(filter: Filter, isWanted: () => boolean): Promise<void> {
    const from = this.#at;
    let toldAt = performance.now();
    this.#playing = false;
    for (;;) {
      const line = this.#lines.ready ?? (await this.#lines.read());
      if (line === undefined) break;
      this.log.add(line, this.#lines.take(), { quiet: true });
      this.#at = Math.max(this.#at, line.at);
      if (fits(line, this.log.picture, filter) || !isWanted()) {
        this.#reset();
        return;
      }
      if (performance.now() - toldAt > NEW_PICTURE_MS) {
        toldAt = performance.now();
        this.#tell();
      }
    }
    await this.#jump(from);
    this.#tell();
    throw new PageError(404, 'not-found', 'Nothing after this time fits the filter.');
  }

  /** Shows what happened until a time; false if that is too much to be shown line by line. */
  async #show(at: number, { quiet }: { quiet: boolean }): Promise<boolean> {
    for (let shown = 0; ; shown++) {
      if (!quiet && shown >= MAX_LINES_A_STEP) return false;
      const line = this.#lines.ready ?? (await this.#lines.read());
      if (line === undefined || line.at > at) break;
      const text = this.#lines.take();
      // The file may have more in a line than belongs there, and a line break that ends an event.
      this.log.add(line, quiet ? text : JSON.stringify(line), { quiet });
    }
    this.#at = at;
    return true;
  }

  /** The line of that time for which this holds. */
  async #find(
    at: number,
    holds: (line: RecordedLine) => boolean,
  ): Promise<RecordedLine | undefined> {
    const parse = createLineParser();
    for await (const lines of readLines(this.#index.file, this.#index.offsetBefore(at))) {
      for (const { text } of lines) {
        const line = parse(text);
        if (line !== undefined && holds(line)) return line;
      }
    }
    return undefined;
  }

  #work(job: () => Promise<void>): Promise<void> {
    const done = this.#working.then(job);
    // The file was taken away while it is shown: what is shown stays.
    this.#working = done.catch(() => undefined);
    return done;
  }
}

/** Reads the lines of a recording one after the other, each when it is wanted. */
class LineCursor {
  readonly #chunks: AsyncGenerator<readonly FileLine[], void, undefined>;
  readonly #parse = createLineParser();
  #chunk: readonly FileLine[] = [];
  #next = 0;
  #ready: RecordedLine | undefined;
  #text = '';

  constructor({ file }: RecordingIndex, offset: number) {
    this.#chunks = readLines(file, offset);
  }

  /** The next line, if it is read already. */
  get ready(): RecordedLine | undefined {
    return this.#ready;
  }

  /** The next line; `undefined` at the end. */
  async read(): Promise<RecordedLine | undefined> {
    while (this.#ready === undefined) {
      const line = this.#chunk[this.#next++];
      if (line !== undefined) {
        this.#text = line.text;
        this.#ready = this.#parse(line.text);
      } else {
        const { value, done } = await this.#chunks.next();
        if (done === true) return undefined;
        this.#chunk = value;
        this.#next = 0;
      }
    }
    return this.#ready;
  }

  /** Goes beyond the line that is ready; what it is as JSON. */
  take(): string {
    this.#ready = undefined;
    return this.#text;
  }
}

/** Whether the call that ends with the newest line of a picture, or the event that it is, fits a filter. */
function fits(line: RecordedLine, picture: Picture, filter: Filter): boolean {
  if (line.type === 'notification' || line.type === 'error') {
    const event = picture.events.at(-1);
    return event !== undefined && filter.matchesEvent(event);
  }
  if (line.type !== 'end') return false;
  const call = picture.ended.at(-1);
  // The end of a call whose begin is missing.
  return call?.call === line.call && filter.matchesCall(call);
}

function wrong(message: string): PageError {
  return new PageError(400, 'invalid-request', message);
}
