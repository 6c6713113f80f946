import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBlocks, repository, type Block } from './blocks.ts';
import { NotInstalled } from './console/broken-servers.ts';
import { createRoom } from './console/run.ts';
import { parseConsole } from './console/parse.ts';
import { startDocumented } from './console/servers.ts';
import { updatedBlock } from './console/update.ts';

/** With it, what comes is written into the pages instead of compared with them. */
const isUpdating = process.env['UPDATE_CONSOLE'] === '1';

const blocks = readBlocks().filter(({ language }) => language === 'console');
const pages = new Set(blocks.map(({ page }) => page));

it('the list of jobs is there', () => {
  expect(pages).toContain('docs/command.md');
});

describe.each([...pages])('%s', (page) => {
  const ofPage = blocks.filter((block) => block.page === page);
  const sections = new Set(ofPage.map(({ section }) => section));

  it.for([...sections])('%s', async (section, { skip }) => {
    const ofSection = ofPage.filter((block) => block.section === section);
    const texts = ofSection.map(({ text, given }) => `${given}\n${text}`);
    const started = await startDocumented(texts.join('\n')).catch((error: unknown) => {
      if (!(error instanceof NotInstalled) || process.env['CI']) throw error;
      return skip(error.message);
    });
    await using servers = started;
    await using room = await createRoom(servers);
    for (const { name, text, given } of ofSection) {
      const commands = parseConsole(text).map(({ command }) => command);
      const now = updatedBlock(text, await room.run(commands, given));
      if (isUpdating) write(page, text, now);
      else expect(now, `${name}, where UPDATE_CONSOLE=1 writes what comes`).toBe(text);
    }
  });
});

function write(page: string, before: Block['text'], now: string): void {
  const file = join(repository, page);
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replace(`\`\`\`console\n${before}`, () => `\`\`\`console\n${now}`),
  );
}
