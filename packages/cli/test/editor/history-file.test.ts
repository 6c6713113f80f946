import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryFile } from '../../src/editor/history-file.ts';
import { Redactor } from '../../src/redact.ts';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longwire-history-'));
  path = join(folder, 'state', 'history');
});
afterEach(() => rm(folder, { recursive: true }));

function history(...secrets: string[]): HistoryFile {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  return new HistoryFile(path, redactor);
}

describe('the history', () => {
  it('is read by the next session, whatever a line holds', () => {
    const lines = ['echo message=hi', 'echo message="a\nb"', '漢字 👍🏽'];
    for (const line of lines) history().add(line);
    expect(history().read()).toEqual(lines);
  });

  it.runIf(process.platform !== 'win32')('is for its user only', async () => {
    history().add('one');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700);
    await chmod(path, 0o644);
    history().add('two');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ' echo message=hi',
    '',
    'call login password=hunter2',
    'echo sk-of-mine',
    'x'.repeat(2001),
  ])('does not keep %j', (line) => {
    history('sk-of-mine').add(line);
    history('sk-of-mine').add('kept');
    expect(history().read()).toEqual(['kept']);
  });

  it('leaves out what it cannot read', async () => {
    await mkdir(join(folder, 'state'));
    await writeFile(path, '"one"\nnot json\n42\n"two \\u001b[31m"\n"half');
    expect(history().read()).toEqual(['one', 'two ']);
  });

  it.runIf(process.platform !== 'win32')('writes through no link, and fails nowhere', async () => {
    await mkdir(join(folder, 'state'));
    await writeFile(join(folder, 'other'), '');
    await symlink(join(folder, 'other'), path);
    history().add('one');
    expect(await readFile(join(folder, 'other'), 'utf8')).toBe('');
    path = join(folder, 'other', 'below', 'a', 'file');
    history().add('one');
    expect(history().read()).toEqual([]);
  });

  it('loses no line of several processes, and stays small', async () => {
    const outfile = join(folder, 'history.mjs');
    const entry = join(import.meta.dirname, '../../src/editor/history-file.ts');
    await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile });
    const script = `
      const [module, path, name] = process.argv.slice(1);
      const { HistoryFile } = await import(module);
      const history = new HistoryFile(path, { message: (text) => text });
      for (let n = 0; n < 400; n++) history.add([name, n, 'x'.repeat(200)].join(' '));`;
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(
      names.map((name) =>
        promisify(execFile)(process.execPath, [
          '--input-type=module',
          '-e',
          script,
          pathToFileURL(outfile).href,
          path,
          name,
        ]),
      ),
    );
    // 1600 lines of 200 characters are more than one file, and less than two.
    const kept = history().read();
    for (const name of names) {
      const own = kept.filter((line) => line.startsWith(`${name} `));
      expect(own.map((line) => Number(line.split(' ')[1]))).toEqual(
        Array.from({ length: 400 }, (_, n) => n),
      );
    }
    expect((await stat(`${path}.1`)).size).toBeLessThan(300_000);
    for (let n = 0; n < 4000; n++) history().add(`${n} ${'y'.repeat(200)}`);
    expect((await stat(path)).size + (await stat(`${path}.1`)).size).toBeLessThan(600_000);
    expect(history().read().at(-1)).toMatch(/^3999 /);
  });
});
