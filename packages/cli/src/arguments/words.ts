import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { usageError } from '../usage-error.js';

/** One argument of a tool as it was written: text to be given a type, or a value that has one. */
export type Assignment =
  | { name: string; kind: 'text'; text: string }
  | { name: string; kind: 'bytes'; bytes: Buffer; path: string }
  | { name: string; kind: 'value'; value: unknown };

/**
 * Reads `key=value`, `key:=json`, `key=@file` and `key:=@file`.
 *
 * @throws LongwireError (usage) that names the argument.
 */
export function parseAssignment(word: string, cwd: string): Assignment {
  const equals = word.indexOf('=');
  if (equals < 1 || word.startsWith(':=')) {
    throw usageError(`"${word}" is not an argument: write name=value, name:=JSON or name=@file`);
  }
  const isJson = word[equals - 1] === ':';
  const name = word.slice(0, isJson ? equals - 1 : equals);
  const text = word.slice(equals + 1);
  if (isJson) {
    const json = text.startsWith('@') ? readBytes(name, text, cwd).toString('utf8') : text;
    return { name, kind: 'value', value: parseJson(json, `argument \`${name}\``) };
  }
  if (text.startsWith('@')) {
    return { name, kind: 'bytes', bytes: readBytes(name, text, cwd), path: text.slice(1) };
  }
  return { name, kind: 'text', text };
}

/**
 * Reads `--args JSON` or `--args @file`: the arguments as one object.
 *
 * @throws LongwireError (usage).
 */
export function parseArgumentObject(text: string, cwd: string): Record<string, unknown> {
  const json = text.startsWith('@') ? readBytes('--args', text, cwd).toString('utf8') : text;
  const value = parseJson(json, '--args');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(`--args wants a JSON object, such as '{"message":"hi"}'`);
  }
  return value as Record<string, unknown>;
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw usageError(`${what} is not valid JSON: ${reason}`, { cause });
  }
}

function readBytes(name: string, reference: string, cwd: string): Buffer {
  const path = reference.slice(1);
  if (path === '') throw usageError(`argument \`${name}\`: write the name of a file after the @`);
  try {
    return readFileSync(resolve(cwd, path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : (code ?? 'it failed');
    throw usageError(
      `argument \`${name}\`: cannot read ${path}: ${reason} (for text that begins with @, write ${name}:='"@…"')`,
      { cause },
    );
  }
}
