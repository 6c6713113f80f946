import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { ConfigError } from '@longwire/client';
import { parseConfig } from '@longwire/client/config';
import { readTextFile } from '@longwire/client/internal';
import { parse } from 'jsonc-parser';
import { usageError } from '../command-error.js';
import { configFileName } from '../configuration.js';
import type { Context } from '../context.js';
import { isJsonObject } from '../json-object.js';
import { replaceFile } from '../replace-file.js';
import { insertProperty, removeProperty } from './json-text.js';

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The `longwire.json` here, or the file of `--config`, to be changed. A change keeps comments, the
 * layout and every other byte, and is written as a whole or not at all.
 */
export class OwnFile {
  /** What it is called in messages. */
  readonly name: string;
  readonly #path: string;
  readonly #env: Context['env'];
  /** What is in front of the text, and no part of it. */
  readonly #mark: string;
  #text: string;

  /** @throws LongwireError (code `config`) for a file that cannot be read, is broken, or is not ours. */
  constructor({ cwd, env, options }: Pick<Context, 'cwd' | 'env' | 'options'>) {
    this.name = options.configFile ?? configFileName;
    this.#path = resolve(cwd, this.name);
    this.#env = env;
    const text = existsSync(this.#path) ? this.#read() : '{\n  "servers": {}\n}\n';
    this.#mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
    this.#text = text.slice(this.#mark.length);
    this.#check();
  }

  /** The names in it. */
  get names(): string[] {
    const { servers } = this.#parsed();
    return isJsonObject(servers) ? Object.keys(servers) : [];
  }

  /** What it says of a server, without any profile. */
  serverOf(name: string): unknown {
    const { servers } = this.#parsed();
    return isJsonObject(servers) && Object.hasOwn(servers, name) ? servers[name] : undefined;
  }

  /** The profiles that say something of a server. */
  profilesOf(name: string): string[] {
    const { profiles } = this.#parsed();
    if (!isJsonObject(profiles)) return [];
    return Object.entries(profiles).flatMap(([profile, overlay]) => {
      const servers = isJsonObject(overlay) ? overlay['servers'] : undefined;
      return isJsonObject(servers) && Object.hasOwn(servers, name) ? [profile] : [];
    });
  }

  /** Puts a server behind the others. Nothing is written yet. */
  add(name: string, server: object): void {
    this.#text = insertProperty(this.#text, ['servers'], [name, server]);
  }

  /** Takes a server out. Nothing is written yet. */
  remove(name: string): void {
    this.#text = removeProperty(this.#text, ['servers'], name);
  }

  /**
   * Writes the file, to which these servers were added and from which the others were taken.
   *
   * @throws LongwireError (code `config`) where one of them cannot be used, the file would be broken, or
   * it cannot be written. It is as it was then.
   */
  save({
    added = [],
    removed = [],
  }: Partial<Record<'added' | 'removed', readonly string[]>>): void {
    const unusable = this.#check();
    const { names } = this;
    if (
      !added.every((name) => names.includes(name)) ||
      removed.some((name) => names.includes(name))
    ) {
      // A name that is there twice.
      throw usageError(`${this.name} cannot be changed: correct it by hand`, { code: 'config' });
    }
    for (const name of added) {
      const error = unusable.get(name);
      // What only lacks a variable may get it later.
      if (error?.problems.some(({ variable }) => variable === undefined) === true) throw error;
    }
    try {
      replaceFile(this.#path, this.#mark + this.#text, { mode: 0o644 });
    } catch (cause) {
      throw usageError(`could not write ${this.name}: ${(cause as Error).message}`, {
        code: 'config',
        cause,
      });
    }
  }

  /** Reads the text as it is: nothing of it may change. */
  #read(): string {
    try {
      // Says what is no file, too large, or no text.
      readTextFile(this.#path);
      const bytes = readFileSync(this.#path);
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      const reason =
        cause instanceof TypeError ? 'it is not in UTF-8: save it so' : (cause as Error).message;
      throw usageError(`could not read ${this.name}: ${reason}`, { code: 'config', cause });
    }
  }

  #parsed(): Record<string, unknown> {
    const value: unknown = parse(this.#text, [], { allowTrailingComma: true });
    return isJsonObject(value) ? value : {};
  }

  /** The servers that cannot be used. */
  #check(): ReadonlyMap<string, ConfigError> {
    const unusable = new Map<string, ConfigError>();
    const { foreign } = parseConfig(this.#text, {
      file: basename(this.name),
      cwd: dirname(this.#path),
      env: this.#env,
      onUnusable: (name, error) => unusable.set(name, error),
    });
    if (foreign) {
      throw usageError(
        `${this.name} is the file of another program, which is only read: longwire servers import takes servers from it`,
        { code: 'config' },
      );
    }
    return unusable;
  }
}
