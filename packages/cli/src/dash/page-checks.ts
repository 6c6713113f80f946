import { createHash } from 'node:crypto';
import { existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { readTextFile, toJson } from '@longwire/client/internal';
import { CheckError, parseCheck, type Check } from '@longwire/recording';
import { checksIn, readChecks } from '../checks/read-checks.js';
import { PageError } from './page-error.js';

/** A check of the file, for the page. */
export interface ListedCheck extends Check {
  /** Its place in the file. */
  readonly index: number;
  /** The server of the page that it is about; `undefined` for one that is not shown. */
  readonly shownAs: string | undefined;
}

/** The checks of the file, for the page. */
export interface CheckList {
  /** The name of the file. */
  readonly file: string;
  /** Another text of the file has another version. */
  readonly version: string;
  readonly checks: readonly ListedCheck[];
}

/**
 * The file of checks, which the page shows and changes. It is read each time, and written as a whole or
 * not at all: another page, or an editor, loses nothing.
 */
export class PageChecks {
  readonly #path: string;
  /** What the file calls each server of the page. */
  readonly #names = new Map<string, string>();

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes a server of the page. `written` is what the file calls it: its name, or its URL. */
  addServer(name: string, written: string): void {
    this.#names.set(name, written);
  }

  /** @throws PageError if the file has a mistake. */
  list(): CheckList {
    const { text, checks } = this.#read();
    const shownAs = new Map([...this.#names].map(([name, written]) => [written, name]));
    return {
      file: basename(this.#path),
      version: createHash('sha256').update(text).digest('base64url'),
      checks: checks.map((check, index) => ({
        ...check,
        index,
        shownAs: shownAs.get(check.server),
      })),
    };
  }

  /**
   * Adds a check at the end, whose server is one of the page.
   *
   * @throws PageError if it is none, or the file cannot be changed.
   */
  add(value: unknown): CheckList {
    const check = readCheck(value);
    const server = this.#names.get(check.server);
    if (server === undefined) throw new PageError(404, 'not-found', 'There is no such server.');
    this.#write([...this.#read().checks, { ...check, server }]);
    return this.list();
  }

  /**
   * Removes the check that was at this place in this version of the file.
   *
   * @throws PageError if the file is another one now, or cannot be changed.
   */
  remove(index: number, version: string): CheckList {
    const { file, version: current, checks } = this.list();
    if (version !== current || checks[index] === undefined) {
      throw new PageError(409, 'changed', `${file} has changed meanwhile: look at it again`);
    }
    this.#write(this.#read().checks.toSpliced(index, 1));
    return this.list();
  }

  #read(): { text: string; checks: Check[] } {
    if (!existsSync(this.#path)) return { text: '', checks: [] };
    try {
      const text = readTextFile(this.#path);
      return { text, checks: checksIn(text, basename(this.#path)) };
    } catch (error) {
      throw new PageError(422, 'checks', (error as Error).message);
    }
  }

  #write(checks: readonly Check[]): void {
    // What a link leads to is written, and not the link.
    const isThere = existsSync(this.#path);
    const path = isThere ? realpathSync(this.#path) : this.#path;
    const mode = isThere ? statSync(path).mode : 0o600;
    const written = `${path}.${process.pid}.new`;
    try {
      rmSync(written, { force: true });
      // It is made here: a link that somebody has put there is not followed.
      writeFileSync(written, `${toJson({ checks }, 2)}\n`, { mode, flag: 'wx' });
      // A file that is too large, or too deep, could not be read any more.
      readChecks(written, basename(this.#path));
      renameSync(written, path);
    } catch (error) {
      rmSync(written, { force: true });
      throw new PageError(500, 'checks', `The checks are not saved: ${(error as Error).message}`);
    }
  }
}

function readCheck(value: unknown): Check {
  try {
    return parseCheck(value, 'the check');
  } catch (error) {
    if (error instanceof CheckError) throw new PageError(400, 'invalid-request', error.message);
    throw error;
  }
}
