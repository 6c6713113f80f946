import type { DeadLetter } from './dead-letter.js';
import type { WorkflowEvent } from './event.js';
import type { Failure } from './failure.js';
import { LineFile } from './line-file.js';

/** The events of a workflow that could not be handled, as lines of a file. */
export class DeadLetters {
  readonly #workflow: string;
  readonly #file: LineFile | undefined;

  /** Without a file nothing is written. */
  constructor({ workflow, file }: { workflow: string; file: string | undefined }) {
    this.#workflow = workflow;
    this.#file = file === undefined ? undefined : new LineFile(file, { durable: true });
  }

  async add(
    event: WorkflowEvent,
    error: Failure,
    run: { trigger?: string; run?: string } = {},
  ): Promise<void> {
    const time = new Date().toISOString();
    const letter: DeadLetter = { time, workflow: this.#workflow, ...run, event, error };
    await this.#file?.add(letter);
  }
}
