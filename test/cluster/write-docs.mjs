import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';

const page = fileURLToPath(new URL('../../docs/cluster.md', import.meta.url));

/**
 * Puts what a trial measured into the page, between its two comments.
 *
 * @param {string} name
 * @param {string} text
 */
export async function writeDocs(name, text) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const before = await readFile(page, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/cluster.md has no ${begin} … ${end}`);
  const after = `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`;
  const config = await prettier.resolveConfig(page);
  await writeFile(page, await prettier.format(after, { ...config, parser: 'markdown' }));
}
