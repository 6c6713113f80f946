import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Serving } from '@longwire/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { serveWaiting } from './tasks/waiting-server.ts';
import { serveThings } from './things-server.ts';

/** What the page promises for a command: keys, those that may be missing apart. */
function promised(command: string): { required: string[]; optional: string[] } {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/json.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('|'));
  const row = rows.find((line) => line.split('|')[1]?.trim() === command);
  const keys = [...(row?.split('|')[2] ?? '').matchAll(/`(\w+)`(\?)?/g)];
  const named = (isOptional: boolean): string[] =>
    keys.filter(([, , mark]) => (mark === '?') === isOptional).map(([, key = '']) => key);
  return { required: named(false), optional: named(true) };
}

let serving: Serving;
let folder: string;
beforeAll(async () => {
  serving = await serveThings();
  folder = mkdtempSync(join(tmpdir(), 'longwire-'));
  const target = { url: serving.url };
  writeFileSync(join(folder, 'longwire.json'), JSON.stringify({ servers: { things: target } }));
});
afterAll(async () => {
  await serving.close();
  rmSync(folder, { recursive: true });
});

/** The documents that a command prints, one or a list of them. */
async function printed(words: readonly string[]): Promise<Record<string, unknown>[]> {
  const args = words.map((word) => word.replace('URL', serving.url));
  const { stdout } = await run([...args, '--json'], {
    cwd: folder,
    env: { HOME: folder, LONGWIRE_KEYCHAIN: 'off' },
  });
  const document = JSON.parse(stdout) as Record<string, unknown>;
  return Array.isArray(document) ? document : [document];
}

describe('the keys that docs/json.md promises are those that come', () => {
  it.each([
    ['`inspect`', ['inspect', 'URL']],
    ['`resources`', ['resources', 'URL']],
    ['`servers`', ['servers']],
    ['`servers allow`, `disallow`', ['servers', 'allow', 'things']],
    ['`servers allow`, `disallow`', ['servers', 'disallow', 'things']],
    ['`servers add`, `import`, `remove`', ['servers', 'add', 'more', 'URL']],
    ['`servers add`, `import`, `remove`', ['servers', 'remove', 'more']],
    ['`types`', ['types', 'URL']],
    ['`types`', ['types', 'URL', '-o', 'tools.d.ts']],
    ['`types`', ['types', 'URL', '-o', 'tools.d.ts', '--check']],
    ['`doctor`', ['doctor', 'URL', '--wait', '1ms']],
    ['`doctor`', ['doctor', 'http://127.0.0.1:1/mcp']],
    ['any, on failure', ['tools', 'http://127.0.0.1:1/mcp']],
    ['any, on failure', ['tools', '--nonsense']],
  ] as const)('%s: %j', async (command, words) => {
    const { required, optional } = promised(command);
    expect(required.length + optional.length).toBeGreaterThan(0);
    const documents = await printed(words);
    expect(documents.length).toBeGreaterThan(0);
    for (const document of documents) {
      const error = command === 'any, on failure' ? document['error'] : undefined;
      const keys = Object.keys(error === undefined ? document : { error, ...(error as object) });
      expect(keys).toEqual(expect.arrayContaining(required));
      expect(keys.filter((key) => !required.includes(key) && !optional.includes(key))).toEqual([]);
    }
  });

  it('of a task', async () => {
    await using waiting = await serveWaiting();
    const { required, optional } = promised('`task --status`, `--cancel`');
    const [left] = await printed(['call', waiting.url, 'gate', '--detach']);
    const { server, ...made } = (left as { task: Record<string, unknown> }).task;
    expect(server).toBe(new URL(waiting.url).host);
    const id = String(made['taskId']);
    for (const option of ['--status', '--cancel']) {
      const [state] = await printed(['task', waiting.url, id, option]);
      for (const keys of [Object.keys(made), Object.keys(state ?? {})]) {
        expect(keys).toEqual(expect.arrayContaining(required));
        expect(keys.filter((key) => ![...required, ...optional].includes(key))).toEqual([]);
      }
    }
  });

  it('a list stays a list when it is empty', async () => {
    expect(await printed(['whoami'])).toEqual([]);
    expect(await printed(['tools', 'URL'])).toEqual([]);
  });
});
