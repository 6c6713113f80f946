import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { sanitize } from '../sanitize.js';
import { splitWords } from '../split-words.js';

/** More than this is not taken back, in bytes. */
const maxTextBytes = 1024 * 1024;

/**
 * Lets the user write a text in the program of `VISUAL`, else of `EDITOR`, else in `vi`. The caller has
 * given it the terminal.
 *
 * @returns the text, without the line breaks at its end.
 * @throws LongwireError (usage) if the program cannot be started, or says that it failed.
 */
export async function editOutside(
  { env, interruptions }: Pick<Context, 'env' | 'interruptions'>,
  text: string,
): Promise<string> {
  const written = env['VISUAL']?.trim() || env['EDITOR']?.trim() || 'vi';
  const [program = 'vi', ...words] = splitWords(written);
  const directory = await mkdtemp(join(tmpdir(), 'longwire-edit-'));
  // Ctrl-C there is the program's own.
  const release = interruptions.take(() => undefined);
  try {
    const path = join(directory, 'line.txt');
    await writeFile(path, text === '' ? '' : `${text}\n`, { mode: 0o600 });
    await run(program, [...words, path], { env, signal: interruptions.signal });
    if ((await stat(path)).size > maxTextBytes) {
      throw usageError('what was written is too long: more than 1 MiB');
    }
    return sanitize(await readFile(path, 'utf8')).replace(/\n+$/, '');
  } finally {
    release();
    await rm(directory, { recursive: true, force: true });
  }
}

function run(
  program: string,
  words: readonly string[],
  { env, signal }: { env: Context['env']; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: 'inherit', env, signal });
    child.once('error', ({ message }) => {
      reject(usageError(`${program} could not be started: ${message}; set VISUAL or EDITOR`));
    });
    child.once('exit', (code, killedBy) => {
      if (code === 0) resolve();
      else
        reject(usageError(`${program} ended with ${killedBy ?? code}: the line stays as it was`));
    });
  });
}
