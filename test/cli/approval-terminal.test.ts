import { expect, test } from 'vitest';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { startObservedServer } from '../interop/support/observed-server.ts';
import { hasTerminal, startAtTerminal, type AtTerminal } from './support/terminal.ts';

/** A chat at a terminal of its own. */
function chat(url: string, env: Record<string, string>): Promise<AtTerminal> {
  return startAtTerminal(['chat', url], { env, leave: '\u0015/quit\r' });
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
