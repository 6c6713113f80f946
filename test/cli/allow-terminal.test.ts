import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { removeFolder } from '../support/remove-folder.ts';
import { runCli } from '../support/run-cli.ts';
import { hasTerminal, startAtTerminal, type AtTerminal } from './support/terminal.ts';

let cwd: string;
let env: Record<string, string>;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-allow-'));
  env = { HOME: cwd };
  return () => removeFolder(cwd);
});

const canary = (): string => join(cwd, 'started');

/** A file whose server leaves a trace, and is none. */
async function write(more: object = {}): Promise<void> {
  const args = ['-e', `require('fs').writeFileSync(${JSON.stringify(canary())}, '')`, '\u202ex'];
  const servers = { it: { command: 'node', args, ...more } };
  await writeFile(join(cwd, 'longwire.json'), JSON.stringify({ servers }));
}

const start = (words: string[]): Promise<AtTerminal> => startAtTerminal(words, { cwd, env });

describe.runIf(hasTerminal)('a server of the working directory, at a terminal', () => {
  test.each([['n\r'], ['\r'], ['\u0003']])('is not used by @all after %j', async (typed) => {
    await write();
    await using terminal = await start(['tools', '@all']);
    const shown = await terminal.shows(/Allow "it" as shown, from now on\?/);
    expect(shown).toContain('"command": "node"');
    expect(shown.replaceAll(/\s/g, '')).toContain('\\u202ex');
    terminal.type(typed);
    expect(await terminal.ended).toBe(typed === '\u0003' ? 130 : 2);
    expect(existsSync(canary())).toBe(false);
  });

  test('is used by @all once it is allowed, and is not asked for again', async () => {
    await write();
    await using first = await start(['tools', '@all']);
    await first.shows(/Allow "it" as shown/);
    first.type('y\r');
    expect(await first.ended).toBe(3);
    expect(existsSync(canary())).toBe(true);
    await using second = await start(['tools', '@all']);
    expect(await second.ended).toBe(3);
    expect(await second.shows(/error: it: /)).not.toContain('Allow');
  });

  test('that changed since it was allowed is asked for where it is named', async () => {
    await write();
    expect((await runCli(['servers', 'allow', 'it'], { cwd, env })).code).toBe(0);
    await write({ env: { NODE_OPTIONS: '--no-warnings' } });
    await using refused = await start(['tools', 'it']);
    const shown = await refused.shows(/Allow "it" as shown, from now on\?/);
    expect(shown).toContain('"it" of longwire.json has changed since it was allowed');
    expect(shown).toContain('"env": {"NODE_OPTIONS":"--no-warnings"}');
    refused.type('n\r');
    expect(await refused.ended).toBe(2);
    expect(existsSync(canary())).toBe(false);
    await using allowed = await start(['tools', 'it']);
    await allowed.shows(/Allow "it"/);
    allowed.type('y\r');
    expect(await allowed.ended).toBe(3);
    expect(existsSync(canary())).toBe(true);
  });
});
