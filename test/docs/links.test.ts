import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { pagesIn, repository } from './blocks.ts';

const pages = pagesIn(repository);
const read = (page: string): string => readFileSync(join(repository, page), 'utf8');

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

it.each(pages)('every link of %s leads somewhere', (page) => {
  const links = [...read(page).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const file = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(repository, file))) return true;
    return anchor !== undefined && !anchorsOf(file).includes(anchor);
  });
  expect(broken).toEqual([]);
});

it('every page of docs/ can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const page of reached) {
    for (const [, link = ''] of read(page).matchAll(/\]\((?!\w+:)([^)#\s]+\.md)/g)) {
      const file = join(dirname(page), link);
      if (existsSync(join(repository, file))) reached.add(file);
    }
  }
  const lost = pages.filter((page) => page.startsWith('docs/') && !reached.has(page));
  expect(lost).toEqual([]);
});

it('CONTRIBUTING names every room of the client, and no other', () => {
  const source = join(repository, 'packages/client/src');
  const rooms = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const named = [...read('CONTRIBUTING.md').matchAll(/^\| `([\w-]+)\/`/gm)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(rooms.map(({ name }) => name)));
});

it('every file that CONTRIBUTING points to exists', () => {
  const section = /### Where to change what\n(.*?)\n### /s.exec(read('CONTRIBUTING.md'))?.[1] ?? '';
  const files = [...section.matchAll(/`([\w/-]+(?:\.ts|\/))`/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(10);
  const missing = files.filter(
    (file) => !existsSync(join(repository, 'packages/client/src', file)),
  );
  expect(missing).toEqual([]);
});
