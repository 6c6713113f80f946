import type { FileHandle } from 'node:fs/promises';
import { VERSION } from '@longwire/client/internal';
import { createHeader } from '@longwire/recording';
import { openNew } from './open-new.js';

/** How much may wait to be written; what comes beyond that is dropped and counted. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** What a recording file is made with. */
export interface RecordingFileOptions {
  /** Called once if the disk refuses; nothing is written from then on. */
  readonly onFailure: (error: Error) => void;
  /** How much may wait to be written. Default 32 MiB. */
  readonly maxWaitingBytes?: number;
  /** What names the file on the command line. Default `--record`. */
  readonly option?: string;
  /** Replaces a file that is there. Default: no, and no option does. */
  readonly force?: boolean;
}

/**
 * Writes lines to a file that only its owner may read, as they come. Nobody waits for it: what comes
 * while the disk is too slow is dropped, and a `gap` line says how much.
 */
export class RecordingFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #options: Required<Pick<RecordingFileOptions, 'onFailure' | 'maxWaitingBytes'>>;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;
  #isOver = false;

  private constructor(
    file: FileHandle,
    options: Required<Pick<RecordingFileOptions, 'onFailure' | 'maxWaitingBytes'>>,
  ) {
    this.#file = file;
    this.#options = options;
  }

  /**
   * Makes the file, which must not be there but with `force`.
   *
   * @throws LongwireError (usage) that says why it cannot be made.
   */
  static async create(path: string, options: RecordingFileOptions): Promise<RecordingFile> {
    const { maxWaitingBytes = MAX_WAITING_BYTES, option = '--record', force, onFailure } = options;
    const file = await openNew(path, { option, ...(force !== undefined && { force }) });
    const recording = new RecordingFile(file, { onFailure, maxWaitingBytes });
    recording.write(JSON.stringify(createHeader(`longwire/${VERSION}`)));
    return recording;
  }

  /** Adds a line of JSON. */
  write(line: string): void {
    if (this.#isOver) return;
    if (this.#waitingBytes + line.length > this.#options.maxWaitingBytes) {
      this.#dropped++;
      return;
    }
    this.#tellGap();
    this.#push(line);
  }

  /** Fulfilled when everything is on the disk and the file is closed. */
  async close(): Promise<void> {
    this.#tellGap();
    const isWhole = !this.#isOver;
    this.#isOver = true;
    await this.#writing;
    if (isWhole) await this.#file.sync().catch(() => undefined);
    await this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #tellGap(): void {
    if (this.#dropped === 0 || this.#isOver) return;
    this.#push(JSON.stringify({ type: 'gap', at: Date.now(), count: this.#dropped }));
    this.#dropped = 0;
  }

  #push(line: string): void {
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const lines = this.#waiting;
        const bytes = this.#waitingBytes;
        this.#waiting = [];
        await this.#file.appendFile(`${lines.join('\n')}\n`);
        this.#waitingBytes -= bytes;
      }
    } catch (error) {
      this.#isOver = true;
      this.#waiting = [];
      this.#options.onFailure(error as Error);
    } finally {
      this.#writing = undefined;
    }
  }
}
