import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';

/** The option of commands that print what may be a file. */
export const outOption = [
  '--out <path>',
  'save what comes as this file, or in this folder; - is stdout',
] as const;

/** Where `--out` puts what comes. */
export type Destination =
  { kind: 'stdout' } | { kind: 'folder'; path: string } | { kind: 'file'; path: string };

/**
 * Reads the value of `--out`: `-` for stdout, a folder (it is there, or its name ends with `/`), or a new
 * file. Called before anything is sent, so that no result is lost for a name.
 *
 * @throws LongwireError (usage) for a file that is there, a folder that is not, and bytes on a terminal.
 */
export function chooseDestination(
  word: string | undefined,
  { cwd, terminal, options }: Pick<Context, 'cwd' | 'terminal' | 'options'>,
): Destination | undefined {
  if (word === undefined) return undefined;
  if (word === '-') {
    if (options.json)
      throw usageError('--out - and --json both want stdout: leave one of them out');
    if (!terminal.interactive) return { kind: 'stdout' };
    throw usageError('--out - writes bytes, and stdout is a terminal: write > FILE or | PROGRAM');
  }
  if (word === '') throw usageError('--out wants the name of a file or a folder');
  const path = resolve(cwd, word);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return { kind: 'folder', path };
  if (found !== undefined) {
    throw usageError(`--out ${word}: it is there already; choose another name, or a folder`);
  }
  if (/[/\\]$/.test(word)) return { kind: 'folder', path };
  if (existsSync(dirname(path))) return { kind: 'file', path };
  throw usageError(`--out ${word}: its folder is not there`);
}
