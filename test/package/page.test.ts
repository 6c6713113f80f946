import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const MAX_COMPRESSED_BYTES = 200_000;

const run = promisify(execFile);
const dashboard = fileURLToPath(new URL('../../packages/dashboard/', import.meta.url));
const cli = fileURLToPath(new URL('../../packages/cli/', import.meta.url));

test('the page is built to the same bytes, whatever the place, the time zone and the language', async () => {
  const built = await filesIn(join(dashboard, 'dist'));
  built.delete('third-party-licences.txt');
  const root = await mkdtemp(join(tmpdir(), 'longwire-page-'));
  try {
    for (const env of [
      { TZ: 'Pacific/Auckland', LANG: 'C' },
      { TZ: 'UTC', LANG: 'tr_TR.UTF-8' },
    ]) {
      const outDir = join(root, env.TZ.replace('/', '-'));
      await build(outDir, env);
      expect(await filesIn(outDir)).toEqual(built);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test('the page is small', async () => {
  const files = [...(await filesIn(join(dashboard, 'dist'))).values()];
  const compressed = files.reduce((bytes, file) => bytes + gzipSync(file).length, 0);
  expect(compressed).toBeLessThan(MAX_COMPRESSED_BYTES);
});

test('the command has the page beside it', async () => {
  expect(await filesIn(join(cli, 'dist/page'))).toEqual(await filesIn(join(dashboard, 'dist')));
});

/** Builds the page in a process of its own. */
async function build(outDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const vite = pathToFileURL(createRequire(join(dashboard, 'package.json')).resolve('vite'));
  const options = { root: dashboard, logLevel: 'error', build: { outDir, emptyOutDir: true } };
  const program = `(await import('${vite.href}')).build(${JSON.stringify(options)})`;
  await run(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], ...env },
  });
}

/** The files of a folder, by their paths in it. */
async function filesIn(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).toSorted();
  return new Map(
    await Promise.all(
      paths.map(async (path) => [relative(folder, path), await readFile(path)] as const),
    ),
  );
}
