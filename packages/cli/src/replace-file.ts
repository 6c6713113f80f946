import { randomUUID } from 'node:crypto';
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/**
 * Writes a whole file at once: whoever reads it finds all of the old text or all of the new. What a link
 * leads to is replaced, and not the link. A file that is there keeps its mode; another gets `mode`.
 *
 * @throws the system's error; the old file is as it was then.
 */
export function replaceFile(file: string, text: string, { mode }: { mode: number }): void {
  const there = statSync(file, { throwIfNoEntry: false });
  const path = there === undefined ? file : realpathSync(file);
  const written = `${path}.${randomUUID()}`;
  // It is made here: a link that somebody has put there is not followed.
  writeFileSync(written, text, { mode: there === undefined ? mode : there.mode, flag: 'wx' });
  try {
    renameSync(written, path);
  } catch (error) {
    rmSync(written, { force: true });
    throw error;
  }
}
