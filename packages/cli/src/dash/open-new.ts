import { open, stat, type FileHandle } from 'node:fs/promises';
import { usageError } from '../command-error.js';

/**
 * Opens a file to write to, which only its owner may read. It must not be there, but with `force`, or where
 * it is a pipe or a device, in which nothing is lost. `option` is what names it on the command line.
 *
 * @throws LongwireError (usage) that says why it cannot be opened.
 */
export async function openNew(
  path: string,
  { option, force }: { option: string; force?: boolean },
): Promise<FileHandle> {
  try {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) throw Object.assign(new Error(), { code: 'EISDIR' });
    const isReplaced = force === true || (found !== undefined && !found.isFile());
    const file = await open(path, isReplaced ? 'w' : 'wx', 0o600);
    // One that was there keeps its mode, but for this. That of a device is not ours.
    if (isReplaced && (await file.stat()).isFile()) await file.chmod(0o600).catch(() => undefined);
    return file;
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const isThere = code === 'EEXIST' && force === undefined;
    const reason = isThere ? 'it is there already: name another file, or remove it' : REASONS[code];
    throw usageError(`${option} "${path}" cannot be written: ${reason ?? message}`, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it is there already: name another file, or use --force',
  EISDIR: 'it is a directory',
  ENOENT: 'there is no such directory',
  ENOTDIR: 'there is no such directory',
  EACCES: 'it may not be written',
};
