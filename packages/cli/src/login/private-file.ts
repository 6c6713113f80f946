import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { usageError } from '../command-error.js';

/** How the name of a file ends that is being written. */
const UNFINISHED = '.new';
/** A login has a few kilobytes. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads a file that is for its owner only; `undefined` if there is none.
 *
 * @throws LongwireError (code `config`) for a file that others can read, a link, or anything else that
 * is not as it was written here.
 */
export function readPrivateFile(path: string): string | undefined {
  let file: number;
  try {
    checkDirectory(dirname(path));
    // Where there is no such flag, links need rights that an attacker would not have.
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw refused(path, 'it is a link', 'delete it');
    if (code === 'config') throw error;
    throw usageError(`${path} cannot be read: ${message}`, { code: 'config', cause: error });
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw refused(path, 'it is no file', 'delete it');
    checkOwner(path, stats);
    if (isPosix && (stats.mode & 0o077) !== 0) {
      throw refused(path, 'others can read it', `chmod 600 ${path}, or log in again`);
    }
    if (stats.size > MAX_BYTES) throw refused(path, 'it is too large', 'delete it');
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/**
 * Replaces a file at once, with rights for its owner only. What is there stays until the new text is on
 * the disk.
 *
 * @throws what writing fails with; LongwireError (code `config`) for a directory of others.
 */
export function writePrivateFile(path: string, text: string): void {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  checkDirectory(directory);
  const written = `${path}.${process.pid}.${randomBytes(6).toString('hex')}${UNFINISHED}`;
  try {
    const file = openSync(written, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(written, path);
  } catch (error) {
    rmSync(written, { force: true });
    throw error;
  }
}

/**
 * Removes a file, and what a process that was killed has left of writing it.
 *
 * @throws what removing fails with.
 */
export function removePrivateFile(path: string): void {
  const [directory, own] = [dirname(path), `${basename(path)}.`];
  const left = existsSync(directory) ? readdirSync(directory) : [];
  for (const name of left) {
    if (name.startsWith(own) && name.endsWith(UNFINISHED)) rmSync(join(directory, name));
  }
  rmSync(path, { force: true });
}

const isPosix = process.platform !== 'win32';

/** @throws LongwireError (code `config`); what `lstat` fails with. */
function checkDirectory(path: string): void {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) throw refused(path, 'it is no directory', 'delete it');
  checkOwner(path, stats);
  if (isPosix && (stats.mode & 0o022) !== 0) {
    throw refused(path, 'others can write to it', `chmod 700 ${path}`);
  }
}

function checkOwner(path: string, { uid }: Stats): void {
  if (!isPosix || uid === process.geteuid?.()) return;
  throw refused(path, 'it belongs to somebody else', 'run the command as its owner');
}

function refused(path: string, why: string, todo: string): Error {
  return usageError(`the logins in ${path} are not used, because ${why}: ${todo}`, {
    code: 'config',
  });
}
