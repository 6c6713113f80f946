import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certainty, ErrorCode } from '@longwire/client';
import prettier from 'prettier';
import { expect, it } from 'vitest';
import { ERROR_CODES } from '../../packages/client/src/errors.ts';
import { repository } from './blocks.ts';

/** `npx vitest run test/docs/errors.test.ts --update` writes the tables into the pages. */
const pages = ['docs/errors.md', 'packages/client/README.md'];

/** What the pages say of a certainty. */
const CERTAINTIES: Readonly<Record<Certainty, { what: string; todo: string }>> = {
  'not-sent': { what: 'The request never left this process.', todo: 'Calling again is safe.' },
  refused: {
    what: 'The request reached the server, which did not run it.',
    todo: 'Calling again is safe, and fails again if nothing else changes.',
  },
  answered: {
    what: 'The server answered, and the answer is the error.',
    todo: 'Do not call again for that: the tool may have run.',
  },
  'outcome-unknown': {
    what: 'The request was sent. Nobody knows whether it ran.',
    todo: 'Look at the server first, or call again only what may run twice.',
  },
};

const cell = (text: string): string => text.replaceAll('|', '\\|');
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

const codes = Object.entries(ERROR_CODES);
const certainties = Object.entries(CERTAINTIES);

const tables: Readonly<Record<string, string>> = {
  codes: table(
    ['code', 'what happened', 'certainty', 'what to do'],
    codes.map(([code, { what, certainties: possible, todo }]) => [
      `\`${code}\``,
      what,
      possible.map((name) => `\`${name}\``).join(', '),
      todo,
    ]),
  ),
  'short-codes': table(
    ['code', 'what happened'],
    codes.map(([code, { what }]) => [`\`${code}\``, what]),
  ),
  certainties: table(
    ['certainty', 'what is known', 'what it means for you'],
    certainties.map(([name, { what, todo }]) => [`\`${name}\``, what, todo]),
  ),
};

it.each(pages)('%s has the tables of the codes', async (page) => {
  const file = join(repository, page);
  const text = readFileSync(file, 'utf8');
  const names: string[] = [];
  const marked = /(<!-- table: ([\w-]+) -->\n\n).*?(\n\n<!-- end -->)/gs;
  const written = text.replace(marked, (_all, before: string, name: string, after: string) => {
    names.push(name);
    return before + (tables[name] ?? `no table ${name}`) + after;
  });
  expect(names).toContain('certainties');
  const config = await prettier.resolveConfig(file);
  const formatted = await prettier.format(written, { ...config, parser: 'markdown' });
  await expect(formatted).toMatchFileSnapshot(file);
});

it('the table names every certainty that the source gives to a code', () => {
  const source = join(repository, 'packages/client/src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const pair = /\bcode: '([a-z-]+)',\s+certainty: '([a-z-]+)'/g;
  const given = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(join(source, file), 'utf8').matchAll(pair)])
    .map(([, code, certainty]) => ({ code: code as ErrorCode, certainty: certainty as Certainty }));
  expect(given.length).toBeGreaterThan(10);
  const missing = given.filter(
    ({ code, certainty }) => !ERROR_CODES[code].certainties.includes(certainty),
  );
  expect(missing).toEqual([]);
});
