import { toJson } from '@longwire/client';
import { open } from 'node:fs/promises';

/** A file of lines of JSON that is only ever added to. */
export class LineFile {
  readonly #path: string;
  readonly #isDurable: boolean;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;

  /** `durable`: a line outlasts not only the process, but also the machine. Default `false`. */
  constructor(path: string, options: { durable?: boolean } = {}) {
    this.#path = path;
    this.#isDurable = options.durable ?? false;
  }

  /** Adds a line; fulfilled when it is written. */
  async add(value: unknown): Promise<void> {
    this.#waiting.push(`${toJson(value)}\n`);
    // What is being written does not have this line yet; all that waits is written at once.
    await this.#writing?.catch(() => undefined);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    const text = this.#waiting.splice(0).join('');
    if (text === '') return;
    // Opened each time, so that a file that was moved away is begun anew.
    const file = await open(this.#path, 'a', 0o600);
    try {
      await file.appendFile(text);
      if (this.#isDurable) await file.datasync();
    } finally {
      await file.close();
    }
  }
}
