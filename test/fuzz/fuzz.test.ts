import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The same for every run of the tests; `LONGWIRE_SEED=…` takes another. */
const SEED = process.env['LONGWIRE_SEED'] ?? '2026';
/** A minute of cases; what is found takes its time to be found again. */
const RUN_MS = 300_000;

beforeAll(async () => {
  const compiler = at('../../node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '--project', at('tsconfig.fuzz.json')]);
}, 120_000);

test('servers that say odd things break no promise', { timeout: RUN_MS }, async () => {
  const args = [at('dist/fuzz/fuzz.js'), '--minutes', '1', '--cases', '300', '--seed', SEED];
  const failed = (error: { stdout: string; stderr: string }): string => error.stdout + error.stderr;
  const told = await run(process.execPath, args).then(({ stdout }) => stdout, failed);
  expect(told).toMatch(/^0 violations/m);
});
