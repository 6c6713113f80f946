import { createReadStream } from 'node:fs';
import { LineReader, type RecordedLine } from '@longwire/recording';
import { usageError } from './command-error.js';

/**
 * Reads a recording from its begin to its end. `shown` is what messages call it.
 *
 * @throws LongwireError (usage, code `config`) if it cannot be read, or is no recording.
 */
export async function* readRecording(
  path: string,
  shown: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedLine[], void, undefined> {
  const reader = new LineReader();
  try {
    const chunks = createReadStream(path, { encoding: 'utf8', signal });
    for await (const chunk of chunks) yield reader.push(String(chunk));
    yield reader.end();
  } catch (cause) {
    if (signal.aborted) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw usageError(`${shown} cannot be used: ${reason}`, { code: 'config', cause });
  }
}
