import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseExactJson, type JsonBounds } from '@longwire/client/internal';
import { usageError } from '../command-error.js';
import { isJsonObject, type JsonObject } from '../json-object.js';

/** One argument as it was written: a text to convert, or a value with a type. */
export type Assignment =
  | { name: string; kind: 'text'; text: string }
  | { name: string; kind: 'bytes'; bytes: Buffer; path: string }
  | { name: string; kind: 'value'; value: unknown };

/** What arguments may be read from. */
export interface WrittenSources {
  /** The directory for the files of `key=@file`. */
  cwd: string;
  /** What came on stdin, for `key=@-`, if it was read. */
  stdin?: Buffer | undefined;
}

/**
 * Reads `key=value`, `key:=json`, `key=@file` and `key:=@file`; `@-` is stdin.
 *
 * @throws LongwireError (usage) that names the argument.
 */
export function parseAssignment(word: string, sources: WrittenSources): Assignment {
  const equals = word.indexOf('=');
  if (equals < 1 || word.startsWith(':=')) {
    throw usageError(`"${word}" is not an argument: write name=value, name:=JSON or name=@file`);
  }
  const isJson = word[equals - 1] === ':';
  const name = word.slice(0, isJson ? equals - 1 : equals);
  const text = word.slice(equals + 1);
  const what = `argument \`${name}\``;
  if (isJson) {
    const json = text.startsWith('@') ? readBytes(what, text, sources).toString('utf8') : text;
    return { name, kind: 'value', value: parseJson(json, what) };
  }
  if (text.startsWith('@')) {
    const hint = ` (for text that begins with @, write ${name}:='"@…"')`;
    const bytes = readBytes(what, text, sources, { hint });
    return { name, kind: 'bytes', bytes, path: text.slice(1) };
  }
  return { name, kind: 'text', text };
}

/**
 * Reads `--args JSON`, `--args @file` or `--args -`: the arguments as one object.
 *
 * @throws LongwireError (usage).
 */
export function parseArgumentObject(text: string, sources: WrittenSources): JsonObject {
  const reference = text === '-' ? '@-' : text;
  const json = reference.startsWith('@')
    ? readBytes('--args', reference, sources).toString('utf8')
    : text;
  const value = parseJson(json, '--args');
  if (!isJsonObject(value)) {
    throw usageError(`--args wants a JSON object, such as '{"message":"hi"}'`);
  }
  return value;
}

function parseJson(text: string, what: string): unknown {
  try {
    const value = parseExactJson(text, OWN_BOUNDS);
    if (!isWithinNumbers(value)) throw new RangeError('it has a number that is too large');
    return value;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw usageError(`${what} is not valid JSON: ${reason}`, { cause });
  }
}

/** The user's own input needs no tight bounds. */
const OWN_BOUNDS: JsonBounds = { maxJsonDepth: 1000, maxJsonValues: Infinity };

/** JSON has no infinite number: `1e400` would be sent as null. */
function isWithinNumbers(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every(isWithinNumbers);
}

function readBytes(
  what: string,
  reference: string,
  { cwd, stdin }: WrittenSources,
  { hint = '' }: { hint?: string } = {},
): Buffer {
  const path = reference.slice(1);
  if (path === '') throw usageError(`${what}: write the name of a file after the @`);
  if (path === '-') {
    if (stdin !== undefined) return stdin;
    throw usageError(`${what}: there is no stdin to read here (for a file of that name: @./-)`);
  }
  try {
    return readFileSync(resolve(cwd, path));
  } catch (cause) {
    const { code = 'it failed' } = cause as NodeJS.ErrnoException;
    throw usageError(`${what}: cannot read ${path}: ${reasons[code] ?? code}${hint}`, { cause });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'it may not be read',
};
