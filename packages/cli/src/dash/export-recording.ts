import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Picture } from '@longwire/recording';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { readRecording } from '../read-recording.js';
import { sanitizeLine } from '../sanitize.js';
import { EXPORTS, type ExportName } from './exports.js';
import { openNew } from './open-new.js';

/** What is exported, and where to. */
export interface ExportRequest {
  /** The recording. */
  readonly file: string;
  readonly format: ExportName;
  /** The file that is written. Default: stdout. */
  readonly out?: string | undefined;
  /** Replaces that file where it is there. */
  readonly force: boolean;
}

/**
 * Writes a recording, all of it, in the format of other programs.
 *
 * @throws LongwireError (usage) if it cannot be read, or the file cannot be written.
 */
export async function exportRecording(
  { cwd, terminal, interruptions }: Context,
  { file, format, out, force }: ExportRequest,
): Promise<void> {
  const unbounded = Number.POSITIVE_INFINITY;
  const picture = new Picture({ maxCalls: unbounded, maxEvents: unbounded, maxStates: unbounded });
  const lines = readRecording(resolve(cwd, file), sanitizeLine(file), interruptions.signal);
  if (out !== undefined && (await isSame(resolve(cwd, file), resolve(cwd, out)))) {
    throw usageError('--out is the recording itself: name another file');
  }
  terminal.showLive(`reading ${file}`);
  for await (const more of lines) for (const line of more) picture.apply(line);
  const exported = EXPORTS[format].make(picture);
  if (out === undefined) return terminal.json(exported, { lines: true });
  const target = await openNew(resolve(cwd, out), { option: '--out', force });
  try {
    await target.writeFile(`${JSON.stringify(exported)}\n`);
  } finally {
    await target.close();
  }
  terminal.remark(sanitizeLine(`${out} is written.`));
}

/** Two names of one file. What is not there is none. */
async function isSame(...names: [string, string]): Promise<boolean> {
  const [one, other] = await Promise.all(names.map((name) => realpath(name).catch(() => name)));
  return one === other;
}
