import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * When a file, or the newest in a folder, was written; 0 for none.
 *
 * @param {string} path
 * @returns {number}
 */
export function writtenAt(path) {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isDirectory() !== true) return status?.mtimeMs ?? 0;
  const inside = readdirSync(path).map((name) => writtenAt(join(path, name)));
  return Math.max(status.mtimeMs, ...inside);
}
