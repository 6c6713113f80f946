import { resolve } from 'node:path';
import {
  createRecorder,
  type RecordedError,
  type RecordedLine,
  type Recorder,
} from '@longwire/recording';
import type { Context } from '../context.js';
import { RecordingFile } from '../dash/recording-file.js';
import { escapeControls, sanitizeLine } from '../sanitize.js';
import type { Trace, TracedServer } from './trace.js';

/** A line with another text where it is a log or says what went wrong: only its form may give a secret away. */
function withTexts(line: RecordedLine, redact: (text: string) => string): RecordedLine {
  if (line.type === 'output') return { ...line, line: redact(line.line) };
  const told = (error: RecordedError): RecordedError => ({
    ...error,
    message: redact(error.message),
  });
  if (line.type === 'state' && line.reason !== undefined) {
    return { ...line, reason: told(line.reason) };
  }
  if ('error' in line && line.error !== undefined) return { ...line, error: told(line.error) };
  return line;
}

/** Writes what passes to a file, as a recording, which the page shows again. */
export class RecordedTrace implements Trace {
  readonly isShown = false;
  readonly #file: RecordingFile;
  readonly #recorder: Recorder;

  private constructor(file: RecordingFile, { redactor }: Pick<Context, 'redactor'>) {
    this.#file = file;
    this.#recorder = createRecorder({
      write: (line) => {
        const told = withTexts(line, (text) => redactor.message(text));
        // Whoever looks at the file in a terminal sees no control sequence of a server.
        file.write(escapeControls(JSON.stringify(redactor.value(told))));
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
