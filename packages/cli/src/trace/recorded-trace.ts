import { resolve } from 'node:path';
import { createRecorder, type Recorder } from '@longwire/recording';
import type { Context } from '../context.js';
import { RecordingFile } from '../dash/recording-file.js';
import { sanitizeLine } from '../sanitize.js';
import type { Trace, TracedServer } from './trace.js';

/** Writes what passes to a file, as a recording, which the page shows again. */
export class RecordedTrace implements Trace {
  readonly isShown = false;
  readonly #file: RecordingFile;
  readonly #recorder: Recorder;

  private constructor(file: RecordingFile, { redactor }: Pick<Context, 'redactor'>) {
    this.#file = file;
    this.#recorder = createRecorder({
      write: (line) => {
        // What a process logs has secrets that only their form gives away.
        const shown =
          line.type === 'output' ? { ...line, line: redactor.message(line.line) } : line;
        file.write(JSON.stringify(redactor.value(shown)));
      },
    });
  }

  /**
   * Makes the file, which must not be there.
   *
   * @throws LongwireError (usage) that says why it cannot be made.
   */
  static async create(
    path: string,
    context: Pick<Context, 'cwd' | 'terminal' | 'redactor'>,
  ): Promise<RecordedTrace> {
    const file = await RecordingFile.create(resolve(context.cwd, path), {
      option: '--trace',
      onFailure: (error) =>
        context.terminal.error(`error: ${sanitizeLine(`${path} ends here: ${error.message}`)}`),
    });
    return new RecordedTrace(file, context);
  }

  server(name: string): TracedServer {
    const recorder = this.#recorder;
    return {
      middleware: recorder.middleware(name),
      observe: recorder.observe(name),
      watch: (client) => void recorder.watch({ name, client }),
    };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
