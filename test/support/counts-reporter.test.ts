import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'longwire-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Runs a project with these files under this repository's configuration, to its end. */
async function run(
  files: Record<string, string>,
  env: Record<string, string> = {},
): Promise<{ code: number; lines: string[] }> {
  const directory = await mkdtemp(join(root, 'project-'));
  await mkdir(join(directory, 'test'));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, 'test', `${name}.test.ts`), text);
  }
  const config = join(repository, 'vitest.config.ts');
  const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--globals', '--root', directory, '--config', config];
  return new Promise((resolve) => {
    const clean = { PATH: process.env['PATH'] ?? '', ...env };
    execFile(process.execPath, args, { env: clean }, (error, stdout) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, lines: stdout.split('\n').slice(0, -1) });
    });
  });
}

const passing = "test('passes', () => {});";

test('the last line counts what passed and what was skipped', async () => {
  const files = { passing, skipping: "test.skip('skipped', () => {}); test.todo('to do');" };
  const { code, lines } = await run(files);
  expect([code, lines.at(-1)]).toEqual([0, '1 passed, 0 failed, 2 skipped']);
});

test('whatever goes wrong counts as a failure', async () => {
  const { code, lines } = await run({
    passing,
    failing: "test('fails', () => { throw new Error('x'); });",
    'not loading': "import './nothing.js'; test('never', () => {});",
    hook: "describe('d', () => { beforeAll(() => { throw new Error('x'); }); test('t', () => {}); });",
    unhandled: `test('late', () => new Promise((resolve) => {
      setTimeout(() => Promise.reject(new Error('unhandled')));
      setTimeout(resolve, 100);
    }));`,
  });
  expect([code, lines.at(-1)]).toEqual([1, '2 passed, 4 failed, 1 skipped']);
});

test('under CI what is skipped counts as a failure, and is named', async () => {
  const files = { passing, skipping: "test.skip('the skipped one', () => {});" };
  const { code, lines } = await run(files, { CI: 'true' });
  expect([code, lines.at(-1)]).toEqual([1, '1 passed, 1 failed']);
  expect(lines.at(-2)).toContain('test/skipping.test.ts > the skipped one');
});

test('a run without tests is a failure', async () => {
  const { code, lines } = await run({});
  expect([code, lines.at(-1)]).toEqual([1, '0 passed, 1 failed']);
});
