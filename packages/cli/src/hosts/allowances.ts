import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerConfig } from '@longwire/client/config';
import { readTextFile } from '@longwire/client/internal';
import type { Configuration } from '../configuration.js';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { isJsonObject } from '../json-object.js';
import { replaceFile } from '../replace-file.js';
import { userFolder } from '../user-folders.js';

/** What is known of a server: it was never allowed, is allowed, or was allowed and has changed since. */
export type Standing = 'unknown' | 'allowed' | 'changed';

/** A server that the user allowed. */
export interface Allowance {
  name: string;
  /** The file that names it. */
  path: string;
  profile?: string | undefined;
  /** Of everything that the file says of it. */
  digest: string;
}

/** Longer files are none of ours. */
const maxBytes = 64 * 1024;

/**
 * The servers that the user allowed: a file for each, so that two commands at once lose nothing of each
 * other's. They are in the user's own folder, where no repository can write.
 */
export class Allowances {
  readonly #folder: string;

  constructor({ env }: Pick<Context, 'env'>) {
    this.#folder = join(userFolder('state', env), 'allowed');
  }

  /** Whether the server is allowed as it is now. */
  standingOf(config: ServerConfig, configuration: Configuration): Standing {
    const key = keyOf(config.name, configuration);
    const allowance = this.#read(fileName(key));
    if (allowance === undefined || fileName(allowance) !== fileName(key)) return 'unknown';
    return allowance.digest === digestOf(config, configuration) ? 'allowed' : 'changed';
  }

  /** All of them, in no order. What cannot be read counts as not allowed. */
  all(): Allowance[] {
    try {
      return readdirSync(this.#folder).flatMap((name) => this.#read(name) ?? []);
    } catch {
      return [];
    }
  }

  /**
   * Remembers the server as it is now.
   *
   * @throws LongwireError (code `config`) where it cannot be kept.
   */
  allow(config: ServerConfig, configuration: Configuration): void {
    const key = keyOf(config.name, configuration);
    const allowance: Allowance = { ...key, digest: digestOf(config, configuration) };
    const text = `${JSON.stringify(allowance)}\n`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      replaceFile(join(this.#folder, fileName(key)), text, { mode: 0o600 });
    } catch (cause) {
      throw usageError(
        `what is allowed could not be kept in ${this.#folder}: ${(cause as Error).message}`,
        { code: 'config', cause },
      );
    }
  }

  /** Forgets that a server was allowed. */
  disallow(allowance: Allowance): void {
    rmSync(join(this.#folder, fileName(allowance)), { force: true });
  }

  #read(name: string): Allowance | undefined {
    if (!name.endsWith('.json')) return undefined;
    try {
      const value: unknown = JSON.parse(readTextFile(join(this.#folder, name), { maxBytes }));
      return isAllowance(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }
}

function isAllowance(value: unknown): value is Allowance {
  if (!isJsonObject(value)) return false;
  const texts = [value['name'], value['path'], value['digest'], value['profile'] ?? ''];
  return texts.every((text) => typeof text === 'string');
}

type Key = Pick<Allowance, 'name' | 'path' | 'profile'>;

function keyOf(name: string, { path, profile }: Pick<Configuration, 'path' | 'profile'>): Key {
  return { name, path, ...(profile !== undefined && { profile }) };
}

function fileName({ name, path, profile }: Key): string {
  return `${sha256(JSON.stringify([path, name, profile ?? null]))}.json`;
}

/**
 * The digest of everything that decides what is started, and what is sent where: what the file says, and
 * the values that are not the user's own: those of a `.env` beside it, of an `envFile`, and of the files of
 * certificates. A token of the user's may change.
 */
function digestOf(config: ServerConfig, configuration: Configuration): string {
  const { written, target } = config;
  const command =
    typeof target === 'string' ? undefined : { cwd: target.cwd ?? null, env: variablesOf(config) };
  const files = networkFilesOf(config);
  const all = [written, ownValuesOf(config, configuration), command];
  return sha256(JSON.stringify(files.length === 0 ? all : [...all, files]));
}

/** What is in the files of certificates, as digests: which authority is trusted decides who answers. */
function networkFilesOf({ network }: ServerConfig): string[] {
  const { ca, cert, key } = network;
  return [ca, cert, key].flatMap((path) => {
    if (path === undefined) return [];
    try {
      return [sha256(readTextFile(path))];
    } catch {
      return ['unreadable'];
    }
  });
}

/** The values that a server gets from the `.env` beside its file. */
export function ownValuesOf(
  { variables }: ServerConfig,
  { ownVariables }: Pick<Configuration, 'ownVariables'>,
): Record<string, string> {
  const used = variables.toSorted().flatMap((name): [string, string][] => {
    const value = Object.hasOwn(ownVariables, name) ? ownVariables[name] : undefined;
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(used);
}

/** The variables that a command gets from an `envFile`. */
export function variablesOf({ written, target }: ServerConfig): Record<string, string> {
  if (typeof target === 'string' || !isJsonObject(written)) return {};
  const own = isJsonObject(written['env']) ? written['env'] : {};
  const others = Object.entries(target.env ?? {}).filter(([name]) => !Object.hasOwn(own, name));
  return Object.fromEntries(others);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
