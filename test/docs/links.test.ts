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

/** A section of CONTRIBUTING, by its title. */
function section(title: string): string {
  const text = `${read('CONTRIBUTING.md')}\n## `;
  return new RegExp(`### ${title}\\n(.*?)\\n##`, 's').exec(text)?.[1] ?? '';
}

const rooms = [
  { title: 'Rooms of the client', source: 'packages/client/src' },
  { title: 'Rooms of the server kit', source: 'packages/server/src' },
];

it.each(rooms)('CONTRIBUTING names all $title, and no others', ({ title, source }) => {
  const entries = readdirSync(join(repository, source), { withFileTypes: true });
  const there = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const first = [...section(title).matchAll(/^\|([^|]*)\|/gm)].map(([, cell = '']) => cell);
  const named = [...first.join().matchAll(/`([\w-]+)\/`/g)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(there));
});

it.each([
  { title: 'Where to change what', source: 'packages/client/src' },
  { title: 'Rooms of the server kit', source: 'packages/server/src' },
])('every file exists that CONTRIBUTING points to: $title', ({ title, source }) => {
  const named = [...section(title).matchAll(/`([\w/-]+(?:\.ts|\/))`/g)].map(
    ([, file = '']) => file,
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((file) => !existsSync(join(repository, source, file)))).toEqual([]);
});
