import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../run.mjs', import.meta.url));

it('impatient clients of many tasks get what is theirs, and nothing of it stays', async () => {
  const few = ['tasks', '--tasks', '200', '--running', '100', '--kept', '5'];
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...few]);
  // Two eras, two stores. It fails where a promise is broken.
  expect(stdout.match(/^kept {3}every task has its own result \(200 of 200\)$/gm)).toHaveLength(4);
  expect(stdout.match(/^kept {3}what has expired is gone /gm)).toHaveLength(4);
});
