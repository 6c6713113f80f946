import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Redactor } from '../redact.js';
import { sanitize } from '../sanitize.js';

/** A file of this size becomes the older one, in bytes; there is one older one. */
const maxFileBytes = 256 * 1024;
/** Longer lines are not kept. */
const maxLineLength = 2000;
/** How many lines are read. */
const maxLines = 2000;
/** A lock this old was left by a process that is gone, in milliseconds. */
const staleLockMs = 10_000;

/**
 * The lines of earlier sessions, in a file that only its user can read: a JSON string a line. Several
 * processes may add to it at once. A file that cannot be read or written is no failure: it is a
 * history of this session only.
 */
export class HistoryFile {
  readonly #path: string;
  readonly #redactor: Redactor;

  constructor(path: string, redactor: Redactor) {
    this.#path = path;
    this.#redactor = redactor;
  }

  /** The lines, the latest last. */
  read(): string[] {
    const lines = [`${this.#path}.1`, this.#path].flatMap(linesOf);
    return lines.filter((line, index) => line !== lines[index - 1]).slice(-maxLines);
  }

  /** Adds a line; not one that begins with a space, is very long, or holds what looks like a secret. */
  add(line: string): void {
    if (line.trim() === '' || line.startsWith(' ') || line.length > maxLineLength) return;
    if (this.#redactor.message(line) !== line) return;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      const file = openSync(this.#path, APPEND, 0o600);
      try {
        fchmodSync(file, 0o600);
        // One write to the end of a file is not mixed with that of another process.
        writeSync(file, `${JSON.stringify(line)}\n`);
        if (fstatSync(file).size > maxFileBytes) this.#turnOver();
      } finally {
        closeSync(file);
      }
    } catch {
      // Nothing depends on it.
    }
  }

  /** The file becomes the older one. Of two processes that find it full, one does this. */
  #turnOver(): void {
    const lock = `${this.#path}.lock`;
    if ((ageOf(lock) ?? 0) > staleLockMs) rmSync(lock, { force: true });
    const file = openSync(lock, 'wx', 0o600);
    try {
      if (statSync(this.#path).size > maxFileBytes) renameSync(this.#path, `${this.#path}.1`);
    } finally {
      closeSync(file);
      rmSync(lock, { force: true });
    }
  }
}

/** A link in its place is not followed, where the system can refuse that. */
const APPEND =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

function linesOf(path: string): string[] {
  try {
    if (statSync(path).size > 4 * maxFileBytes) return [];
    return readFileSync(path, 'utf8').split('\n').flatMap(lineOf);
  } catch {
    return [];
  }
}

/** The line that a row holds; what cannot be read is left out. */
function lineOf(row: string): string[] {
  try {
    const line: unknown = JSON.parse(row);
    return typeof line === 'string' && line.length <= maxLineLength ? [sanitize(line)] : [];
  } catch {
    return [];
  }
}

function ageOf(path: string): number | undefined {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}
