import { toJson } from '@longwire/client';
import { open } from 'node:fs/promises';

/** A file of lines of JSON, to which lines are only appended. */
export class LineFile {
  readonly #path: string;
  readonly #isDurable: boolean;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;

  /** `durable`: a written line survives a failure of the machine. Default `false`. */
  constructor(path: string, options: { durable?: boolean } = {}) {
    this.#path = path;
    this.#isDurable = options.durable ?? false;
  }

  /** Adds a line; fulfilled when it is written. */
  async add(value: unknown): Promise<void> {
    this.#waiting.push(`${toJson(value)}\n`);
    // A write in progress does not include this line; all waiting lines are written in one batch.
    await this.#writing?.catch(() => undefined);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    const text = this.#waiting.splice(0).join('');
    if (text === '') return;
    // Opened each time, so that a file that was moved away is created again.
    const file = await open(this.#path, 'a', 0o600);
    try {
      await file.appendFile(text);
      if (this.#isDurable) await file.datasync();
    } finally {
      await file.close();
    }
  }
}
