import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { FileReadError, readTextFile } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import { replaceFile } from '../replace-file.js';
import { sanitizeLine } from '../sanitize.js';
import { madeBy } from './write-types.js';

/** The file that types are written to. */
export interface TypesFile {
  readonly path: string;
  /** As the user wrote it, for messages. */
  readonly shown: string;
  /** What is in it; `undefined` where there is none. */
  readonly text: string | undefined;
}

/** Where the mark of a file of types is looked for, in characters. */
const maxHeadLength = 2000;

/**
 * The file that `-o` names. Called before a server is asked, so that nothing is lost for a name.
 *
 * @throws LongwireError (usage) for a name that is none of TypeScript, a folder that is not there, and a
 * file that `longwire types` did not make, unless `force`.
 */
export function openTypesFile(
  word: string,
  { cwd, force }: { cwd: string; force: boolean },
): TypesFile {
  const shown = sanitizeLine(word, 300);
  const path = resolve(cwd, word);
  if (!/.\.[cm]?ts$/.test(basename(path))) {
    throw usageError(`-o ${shown}: types are TypeScript: name the file .d.ts or .ts`);
  }
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw usageError(`-o ${shown}: its folder is not there`);
  }
  const text = textOf(path, shown);
  if (text !== undefined && !force && !text.slice(0, maxHeadLength).includes(madeBy)) {
    throw usageError(
      `-o ${shown}: that file is there, and longwire types did not make it: choose another name, or --force`,
    );
  }
  return { path, shown, text };
}

/** @throws LongwireError (code `config`) where it cannot be written; it is as it was then. */
export function writeTypesFile({ path, shown }: TypesFile, text: string): void {
  try {
    replaceFile(path, text, { mode: 0o666 });
  } catch (cause) {
    const { message } = cause as Error;
    throw usageError(`-o ${shown}: it could not be written: ${message}`, { code: 'config', cause });
  }
}

function textOf(path: string, shown: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    return readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof FileReadError)) throw cause;
    throw usageError(`-o ${shown}: it cannot be read: ${cause.message}`, { cause });
  }
}
