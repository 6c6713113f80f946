import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { serveWaiting } from '../../packages/cli/test/tasks/waiting-server.ts';
import { until } from '../support/until.ts';
import { hasTerminal, startAtTerminal, type AtTerminal } from './support/terminal.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const TAB = '\t';
const ENTER = '\r';

const everything = fileURLToPath(
  import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
);

/** The id of the task of which it is said that it goes on. */
async function leftTask(terminal: AtTerminal, how: string, command: string): Promise<string> {
  const shown = await terminal.shows(/takes it up\.\r?\n/);
  const said = /(\w+): the task ([\da-f]+) goes on; (.*) takes it up\./.exec(shown);
  const [id = ''] = said?.slice(2) ?? [];
  expect(said?.slice(1)).toEqual([how, id, `${command} ${id}`]);
  return id;
}

describe.runIf(hasTerminal).each(['2026-07-28', '2025-11-25'])('a task in %s', (protocol) => {
  const era = ['--protocol', protocol];

  test('Ctrl-C leaves it: 130, and it is taken up, left, and taken up again', async () => {
    await using server = await serveWaiting();
    let id: string;
    {
      await using terminal = await startAtTerminal(['call', server.url, 'gate', ...era]);
      await terminal.shows(/gate .*at the gate/);
      terminal.type(CTRL_C);
      id = await leftTask(terminal, 'Interrupted', `longwire task ${server.url}`);
      expect(await terminal.ended).toBe(130);
    }
    {
      await using terminal = await startAtTerminal(['task', server.url, id, ...era]);
      await terminal.shows(new RegExp(`task ${id.slice(0, 8)}….*at the gate`));
      terminal.type(CTRL_C);
      expect(await leftTask(terminal, 'Interrupted', `longwire task ${server.url}`)).toBe(id);
      expect(await terminal.ended).toBe(130);
    }
    await using terminal = await startAtTerminal(['task', server.url, id, ...era]);
    await terminal.shows(/at the gate/);
    server.open();
    await terminal.shows(/gone through\r?\n/);
    expect(await terminal.ended).toBe(0);
    expect(server.said).toEqual(['begun']);
  });

  test('its questions are asked of who takes it up', async () => {
    await using server = await serveWaiting();
    await using left = await startAtTerminal(['call', server.url, 'greet', '--detach', ...era]);
    const [id = ''] = /^[\da-f]{20,}/m.exec(await left.shows(/takes it up/)) ?? [];
    expect(await left.ended).toBe(0);
    await using terminal = await startAtTerminal(['task', server.url, id, ...era]);
    await terminal.shows(/Your name\?[^]*\(A\)nswer/);
    terminal.type(`a${ENTER}`);
    await terminal.shows(/name/);
    terminal.type(`Ann${ENTER}`);
    await terminal.shows(/Send this to the server/);
    terminal.type(ENTER);
    await terminal.shows(/Hello, Ann\r?\n/);
    expect(await terminal.ended).toBe(0);
  });

  test('in a session Ctrl-C leaves it, Tab knows it, and it is taken up there', async () => {
    await using server = await serveWaiting();
    await using terminal = await startAtTerminal(['shell', server.url, ...era], { leave: CTRL_D });
    await terminal.shows(/> $/);
    const { host } = new URL(server.url);
    terminal.type(`gate${ENTER}`);
    await terminal.shows(/gate .*at the gate/);
    terminal.type(CTRL_C);
    const id = await leftTask(terminal, 'Stopped', `task ${host}`);
    terminal.type(`task ${id.slice(0, 8)}${TAB}`);
    await terminal.shows(new RegExp(`task ${id} `));
    terminal.type(ENTER);
    await terminal.shows(/at the gate/);
    server.open();
    await terminal.shows(/gone through\r?\n/);
    expect(server.said).toEqual(['begun']);
  });
});

describe.runIf(hasTerminal)('Ctrl-C cancels', () => {
  test('a call that is no task yet', async () => {
    await using server = await serveWaiting({
      tasks: { '*': { task: 'optional', auto: { afterMs: 60_000 } } },
    });
    const words = ['call', server.url, 'gate', '--protocol', '2026-07-28'];
    await using terminal = await startAtTerminal(words);
    await until(() => expect(server.said).toEqual(['begun']));
    terminal.type(CTRL_C);
    await terminal.shows(/Interrupted\.\r?\n/);
    expect(await terminal.ended).toBe(130);
    await until(() => expect(server.said).toEqual(['begun', 'aborted']));
  });

  test('a task of a server that ends with the command', async () => {
    await using terminal = await startAtTerminal([
      'call',
      'simulate-research-query',
      'topic=tea',
      '--',
      process.execPath,
      everything,
      'stdio',
    ]);
    await terminal.shows(/simulate-research-query .*Gathering|Analyzing|Synthesizing/);
    terminal.type(CTRL_C);
    const shown = await terminal.shows(/Interrupted.*\r?\n/);
    expect(shown).not.toContain('takes it up');
    expect(await terminal.ended).toBe(130);
  });
});
