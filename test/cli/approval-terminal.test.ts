import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { startObservedServer } from '../interop/support/observed-server.ts';
import { until } from '../support/until.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { canOpenTerminals } from './support/terminal-screen.ts';

const hasTerminal = canOpenTerminals();

const pty = fileURLToPath(new URL('support/pseudo-terminal.py', import.meta.url));
const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));

/** The command at a terminal of its own. */
async function chat(
  url: string,
  env: Record<string, string>,
): Promise<
  AsyncDisposable & {
    type(text: string): void;
    /** All that it has shown since it was asked last. */
    shows(pattern: RegExp): Promise<string>;
  }
> {
  const home = await mkdtemp(join(tmpdir(), 'longwire-pty-'));
  const child = spawn('python3', [pty, process.execPath, bin, 'chat', url], {
    env: { PATH: process.env['PATH'] ?? '', HOME: home, TERM: 'xterm', NO_COLOR: '1', ...env },
    cwd: home,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
  const ended = once(child, 'close');
  return {
    type: (text) => void child.stdin.write(text),
    shows: async (pattern) => {
      const rest = (): string => stripVTControlCharacters(shown.slice(from));
      await until(() => expect(rest()).toMatch(pattern));
      const text = rest();
      from = shown.length;
      return text;
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.write('\u0015/quit\r');
      const timer = setTimeout(() => child.kill(), 10_000);
      await ended;
      clearTimeout(timer);
      await removeFolder(home);
    },
  };
}

test.runIf(hasTerminal)('what was typed before a question is no answer to it', async () => {
  await using observed = await startObservedServer();
  const claude = await startScriptedClaude([
    {
      calls: [
        { name: 'write', arguments: { text: 'one' } },
        { name: 'write', arguments: { text: 'two' } },
      ],
    },
    { text: 'All is done.' },
  ]);
  const env = { ANTHROPIC_BASE_URL: claude.url, ANTHROPIC_API_KEY: 'key-of-the-terminal-test' };
  {
    await using command = await chat(observed.url, env);
    await command.shows(/> $/);
    command.type('Do it\r');
    // Typed while Claude is asked.
    command.type('y\ra\ry\r');
    await command.shows(/"one".*\(N\)o/s);
    expect(observed.calls).toEqual([]);
    // What comes with the first answer does not answer the second question.
    command.type('y\ry\ra\r');
    await command.shows(/"two".*\(N\)o/s);
    command.type('n\r');
    await command.shows(/All is done\./);
  }
  await claude.close();
  expect(observed.calls.map(({ args }) => args)).toEqual([{ text: 'one' }]);
});

test.runIf(hasTerminal)('once, always for this tool as it is now, and no', async () => {
  await using observed = await startObservedServer();
  const write = (...texts: string[]): { calls: { name: string; arguments: object }[] } => ({
    calls: texts.map((text) => ({ name: 'write', arguments: { text } })),
  });
  const claude = await startScriptedClaude([
    write('no  spaces'),
    write('once'),
    write('always'),
    write('unasked'),
    { text: 'All is done.' },
  ] as Parameters<typeof startScriptedClaude>[0]);
  const env = { ANTHROPIC_BASE_URL: claude.url, ANTHROPIC_API_KEY: 'key-of-the-terminal-test' };
  {
    await using command = await chat(observed.url, env);
    await command.shows(/> $/);
    command.type('Do it\r');
    expect(await command.shows(/\(N\)o/)).toContain('no \\u0020spaces');
    command.type('\r');
    await command.shows(/"once".*\(N\)o/s);
    command.type('y\r');
    await command.shows(/"always".*\(N\)o/s);
    command.type('a\r');
    await command.shows(/All is done\./);
  }
  await claude.close();
  expect(observed.calls.map(({ args }) => args)).toEqual(
    ['once', 'always', 'unasked'].map((text) => ({ text })),
  );
});
