import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import prettier from 'prettier';
import { beforeAll, describe, expect, it } from 'vitest';
import { interpreterOf } from '../support/python-servers.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { codeLines } from './lines.ts';
import { tenTasksPage } from './page.ts';
import { LIBRARIES, prepareTasks, runProgram } from './programs.ts';
import { TASKS, type Closers } from './tasks.ts';

const page = fileURLToPath(new URL('../../docs/ten-tasks.md', import.meta.url));
const programs = fileURLToPath(new URL('programs', import.meta.url));
let python: string;

expectNothingLeftOpen();

beforeAll(async () => {
  const prepared = await prepareTasks();
  if ('missing' in prepared) throw new Error(prepared.missing);
  python = prepared.directory;
}, 600_000);

describe.each(TASKS)('$title', ({ name, prints, begin }) => {
  it.each(LIBRARIES)('%s', async (library) => {
    const closers: Closers = [];
    try {
      const { check, ...given } = await begin(closers);
      const ran = await runProgram({ library, task: name, python, ...given });
      expect(ran.lines, ran.stderr).toEqual(prints);
      expect(ran.code, ran.stderr).toBe(0);
      await check?.();
    } finally {
      for (const close of closers.toReversed()) await close();
    }
  });
});

it('the page has the lines of the programs as they are: `npm run ten-tasks` writes it', async () => {
  const config = await prettier.resolveConfig(page);
  const text = await prettier.format(tenTasksPage(), { ...config, parser: 'markdown' });
  await expect(text).toMatchFileSnapshot(page);
});

it('programs in Python are formatted like the others', async () => {
  const args = ['-m', 'black', '--check', '--quiet', '--line-length', '100', programs];
  const { stdout } = await promisify(execFile)(interpreterOf(python), args);
  expect(stdout).toBe('');
});

it('counts neither empty lines, nor comments, nor imports', () => {
  const js = `/** Of\n * two. */\nimport a from 'a';\nimport {\n  b,\n} from 'b';\n\n// why\na(b); // how\n/* c */\n`;
  expect(codeLines(js, 'js')).toBe(1);
  const py = `"""One."""\nimport a\nfrom b import (\n    c,\n)\n\n# why\ndef d():\n    """Two\n    lines."""\n    a(c)\n`;
  expect(codeLines(py, 'py')).toBe(2);
});
