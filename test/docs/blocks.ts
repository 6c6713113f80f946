import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A fenced block of code of a page. */
export interface Block {
  /** As in `packages/client/README.md:5`. */
  name: string;
  page: string;
  /** The heading above it, of the second level. */
  section: string;
  /** What stands behind the fence. */
  language: string;
  text: string;
  /**
   * What the text needs and the page does not show: the `<!-- given: … -->` right before it, which a
   * reader of the source sees.
   */
  given: string;
}

export const repository: string = fileURLToPath(new URL('../..', import.meta.url));

/** All blocks of all pages of the project. */
export function readBlocks(): Block[] {
  return pagesIn(repository).flatMap((page) => blocksOf(page));
}

/** The blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(repository, page), 'utf8');
  const fence =
    /(?:^<!-- given:(?<given>(?:(?!-->).)*)-->\n\n?)?^(?<indent> *)(?<ticks>`{3,}|~{3,})(?<language>[^\n]*)\n(?<text>.*?)^\k<indent>\k<ticks>$/gms;
  // A heading inside a block is none.
  const prose = text.replace(fence, (block) => ' '.repeat(block.length));
  const headings = [...prose.matchAll(/^## (.*)$/gm)];
  return [...text.matchAll(fence)].map((match) => {
    const { given = '', ticks = '', language = '', text: code = '' } = match.groups ?? {};
    const above = text.slice(0, match.index + match[0].indexOf(ticks));
    const name = `${page}:${above.split('\n').length}`;
    const section = headings.filter(({ index }) => index < match.index).at(-1)?.[1] ?? '';
    return { name, page, section, language: language.trim(), text: code, given };
  });
}

/** Whether a block is, line by line, a part of an example, however far that is indented there. */
export function isInExample({ text }: Block): boolean {
  return examples.some((example) => `\n${example}`.includes(`\n${withoutIndent(text)}`));
}

function withoutIndent(text: string): string {
  return text.replaceAll(/^ +/gm, '');
}

const examples: readonly string[] = ['examples', 'examples/backend/src'].flatMap((folder) =>
  readdirSync(join(repository, folder))
    .filter((file) => /\.(mjs|ts)$/.test(file))
    .map((file) => withoutIndent(readFileSync(join(repository, folder, file), 'utf8'))),
);

/** The pages below a folder. */
export function pagesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || ['node_modules', 'dist'].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pagesIn(path);
    return entry.name.endsWith('.md') ? [relative(repository, path)] : [];
  });
}

/** The words of each command of a block for a shell, comments aside. */
export function commandsIn(text: string): string[][] {
  return text.split('\n').flatMap((line) => {
    const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
      ([, double, single, bare]) => ({
        word: double ?? single ?? bare ?? '',
        isBare: bare !== undefined,
      }),
    );
    const comment = words.findIndex(({ word, isBare }) => isBare && word.startsWith('#'));
    const command = comment === -1 ? words : words.slice(0, comment);
    return command.length === 0 ? [] : [command.map(({ word }) => word)];
  });
}
