import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from '../src/config/index.ts';
import { FileReadError, readTextFile } from '../src/text-file.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'longwire-files-'));
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('plain'), '\uFEFF{"servers":{}}');
  writeFileSync(at('large'), 'x'.repeat(5 * 1024 * 1024));
  const text = '{"servers":{}}';
  writeFileSync(at('utf-16'), Buffer.from(`\uFEFF${text}`, 'utf16le'));
  writeFileSync(at('utf-16be'), Buffer.from(`\uFEFF${text}`, 'utf16le').swap16());
  writeFileSync(at('no mark'), Buffer.from(text, 'utf16le'));
  mkdirSync(at('folder'));
  symlinkSync(at('plain'), at('link'));
  symlinkSync(at('loop'), at('loop'));
  if (process.platform !== 'win32') execFileSync('mkfifo', [at('pipe')]);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('a file of text', () => {
  it.each(['plain', 'link', 'utf-16', 'utf-16be'])(
    '%s is read, without a byte order mark',
    (name) => {
      expect(readTextFile(join(directory, name))).toBe('{"servers":{}}');
    },
  );

  it.each([
    ['absent', 'ENOENT', 'there is no such file'],
    ['plain/below', 'ENOTDIR', 'there is no such file'],
    ['folder', 'EISDIR', 'it is a directory'],
    ['loop', 'ELOOP', 'it is a symbolic link that leads to itself'],
    ['no mark', 'EILSEQ', 'it is no text in UTF-8; if it is in UTF-16, save it as UTF-8'],
    ['large', 'EFBIG', 'it has 5242880 bytes, and 4194304 are the most that is read'],
    ...(process.platform === 'win32'
      ? []
      : [['pipe', 'EINVAL', 'it is no file, but a pipe or a device']]),
  ])('%s is refused with %s', (name, code, message) => {
    const read = (): string => readTextFile(join(directory, name));
    expect(read).toThrow(FileReadError);
    expect(read).toThrow(expect.objectContaining({ code, message }));
    expect(() => loadConfig(name, { cwd: directory })).toThrow(
      `could not read ${name}: ${message}`,
    );
  });
});

describe('a configuration that is made to cost', () => {
  const servers = (text: string): string => `{"servers":${text}}`;
  const many = (one: (at: number) => string): string =>
    servers(`{${Array.from({ length: 3000 }, (_, at) => one(at)).join(',\n')}}`);

  it.each([
    ['lists', servers('['.repeat(100_000)), /:1:111: nested deeper than 100 levels$/],
    ['objects', servers('{"a":'.repeat(100_000)), /nested deeper than 100 levels$/],
    [
      'defaults',
      servers(`{"a":{"url":"http://h/${'${A:-'.repeat(20_000)}${'}'.repeat(20_000)}"}}`),
      /"\$\{" nested deeper than 10 times$/,
    ],
    ['unknown keys', many((at) => `"s${at}":{"url":"http://h","x${at}":1}`), /and 2990 more$/],
    ['one server many times', many(() => '"s":{"url":"http://h"}'), /has 2999 problems:/],
  ])('by %s is refused', (_what, text, message) => {
    expect(() => parseConfig(text, { env: {} })).toThrow(message);
  });

  it.each([
    servers('{"__proto__":{"url":"http://h"}}'),
    servers('{"a":{"command":"x","env":{"__proto__":"1"}}}'),
    '{"mcpServers":{"a":{"url":"http://h","__proto__":{"disabled":true}}}}',
    '{"servers":{"a":{"url":"http://h"}},"profiles":{"p":{"servers":{"__proto__":{"polluted":1}}}}}',
  ])('%s names what an object would lose', (text) => {
    expect(() => parseConfig(text)).toThrow('"__proto__" cannot be a name here');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
