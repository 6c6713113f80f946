import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '@longwire/server';
import { createHeader, toLine } from '@longwire/recording';
import { McpServer } from '@modelcontextprotocol/server';
import { expect, test } from 'vitest';
import { linesOfScene, NOW } from '../../packages/cli/test/top/scene.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { until } from '../support/until.ts';
import { hasTerminal } from './support/terminal.ts';
import { openTerminal, type TerminalScreen } from './support/terminal-screen.ts';

const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
const top = `${process.execPath} ${bin} top`;

/** Keys as a terminal sends them. */
const [ENTER, ESCAPE, TAB, DOWN] = ['\r', '\u001b', '\t', '\u001b[B'] as const;

/** A shell that said how its terminal is set, in which `top` was started and shows something. */
async function openTop(
  words: string,
  {
    columns = 80,
    rows = 24,
    env = {},
  }: { columns?: number; rows?: number; env?: Record<string, string> } = {},
): Promise<TerminalScreen> {
  const terminal = await openTerminal(columns, rows, env);
  await terminal.shows(/[$#]/);
  terminal.type(`stty -g > before; ${top} ${words}; echo "code $?"\r`);
  await until(() => terminal.isAlternate());
  return terminal;
}

/** That the terminal is as it was before `top`, and shows what it showed. */
async function expectRestored(terminal: TerminalScreen, code: number): Promise<void> {
  expect(await terminal.shows(new RegExp(`code ${code}$`, 'm'))).toContain('stty -g > before');
  expect(terminal.isAlternate()).toBe(false);
  const bytes = terminal.bytes();
  for (const [set, unset] of [
    // The cursor, and lines that go on below.
    ['\u001b[?25h', '\u001b[?25l'],
    ['\u001b[?7h', '\u001b[?7l'],
  ] as const) {
    expect(bytes.lastIndexOf(set)).toBeGreaterThan(bytes.lastIndexOf(unset));
  }
  terminal.type('stty -g | cmp - before && echo as it was\r');
  await terminal.shows(/^as it was$/m);
}

test.runIf(hasTerminal)('shows the demo, is driven by keys, and leaves all as it was', async () => {
  await using terminal = await openTop('--demo');
  await terminal.shows(/ {2}3 ready {2}0 in flight[^]*✓ result[^]*\d\d:\d\d\.\d/);
  expect(terminal.rows()).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^longwire top {2}● live \d\d:\d\d:\d\d/),
      expect.stringMatching(/^» SERVERS 3 +STATE/),
      expect.stringMatching(/^> \w+ +● ready/),
      expect.stringMatching(/^ {2}\w+\/\w+ .*✓ result/),
      expect.stringMatching(/^ {2}EVENTS \d+ +SERVER +LEVEL +SAYS/),
    ]),
  );
  terminal.type('?');
  await terminal.shows(/^Keys$/m);
  terminal.type(ESCAPE);
  await terminal.shows(/SERVERS 3/);

  terminal.type('/server:met');
  // What can be written is above the line.
  await terminal.shows(/^ {2}metrics\n\/server:met$/m);
  terminal.type(TAB);
  await terminal.shows(/^\/server:metrics $/m);
  terminal.type(ENTER);
  await terminal.shows(/SERVERS 1 .*\n.*metrics[^]*\/server:metrics {2}Esc clears it/);
  expect(terminal.rows().filter((row) => /alerts|logs:/.test(row))).toEqual([]);

  terminal.type(`${TAB}${TAB}`);
  // There may be none of this server yet.
  await terminal.shows(/» EVENTS [1-9]/);
  terminal.type(`${DOWN}${ENTER}`);
  await terminal.shows(/^message of metrics[^]*"memoryMb": \d+/m);
  terminal.type(ESCAPE);
  await terminal.shows(/SERVERS 1/);

  terminal.type(' ');
  const held = await terminal.shows(/❚❚ held at/);
  terminal.resize(120, 40);
  await terminal.shows(/KIND/);
  expect(terminal.rows()[39]).toMatch(/^\/server:metrics/);
  terminal.resize(40, 12);
  await terminal.shows(/^» EVENTS \d+/m);
  terminal.resize(80, 24);
  await until(() => expect(terminal.rows().join('\n')).toBe(held));
  terminal.type(' ');
  await terminal.shows(/● live/);

  terminal.type('q');
  await expectRestored(terminal, 0);
});

test.runIf(hasTerminal)('cancels a call after asking', async () => {
  const create = (): McpServer => {
    const server = new McpServer({ name: 'slow', version: '1' }, { capabilities: { tools: {} } });
    server.server.setRequestHandler('tools/list', () => new Promise(() => {}));
    return server;
  };
  await using serving = await serve({ create });
  await using terminal = await openTop(serving.url);
  await terminal.shows(/1 in flight/);
  terminal.type('c');
  await terminal.shows(/^Select a call that runs/m);
  terminal.type(`${TAB}c`);
  await terminal.shows(
    /^Cancel call \d+, tools\/list on 127\.0\.0\.1:\d+\? It may have run\. y n$/m,
  );
  terminal.type('n');
  await terminal.shows(/1 in flight[^]*^\? keys/m);
  terminal.type('cy');
  await terminal.shows(/0 in flight/);
  terminal.type(ENTER);
  const call = await terminal.shows(/^Call \d+ · tools\/list/m);
  expect(call).toMatch(/Outcome +✗ aborted +\? unknown/);
  expect(call).toMatch(/Ended: outcome-unknown/);
  terminal.type('\u0003');
  await expectRestored(terminal, 130);
});

test.runIf(hasTerminal)('gives the terminal back while it is suspended', async () => {
  await using terminal = await openTop('--demo');
  await terminal.shows(/ {2}3 ready/);
  terminal.type('\u001a');
  await terminal.shows(/Stopped/);
  expect(terminal.isAlternate()).toBe(false);
  terminal.type('stty -g | cmp - before && echo as it was\r');
  await terminal.shows(/^as it was$/m);
  terminal.type('fg\r');
  await until(() => terminal.isAlternate());
  await terminal.shows(/ {2}3 ready/);
  terminal.type('q');
  await until(() => !terminal.isAlternate());
  terminal.type('stty -g | cmp - before && echo still as it was\r');
  await terminal.shows(/^still as it was$/m);
});

test.runIf(hasTerminal).each([
  ['SIGTERM', 130],
  ['SIGHUP', 130],
  ['an error that nobody caught', 1],
] as const)('leaves the terminal as it was after %s', async (end, code) => {
  const fails = `data:text/javascript,process.on('SIGUSR2',()=>{throw Error('crash')})`;
  await using terminal = await openTop('--demo', { env: { NODE_OPTIONS: `--import="${fails}"` } });
  await terminal.shows(/ {2}3 ready/);
  const signal = end.startsWith('SIG') ? end : 'SIGUSR2';
  process.kill(terminal.foreground(), signal as NodeJS.Signals);
  await expectRestored(terminal, code);
  if (code === 1) await terminal.shows(/Error: crash/);
});

test.runIf(hasTerminal)('shows a recording of a hostile server: nothing of it acts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-top-'));
  const evil =
    '\u001b]0;owned\u0007\u001b[2J\u001b[?1049l\u202egnp.exe\u0000\r\n' + 'W'.repeat(1_000_000);
  const lines = linesOfScene().concat([
    { type: 'server', at: NOW, server: evil, target: evil, transport: evil },
    { type: 'call', at: NOW, server: evil, call: 9001, method: evil, name: evil, arguments: evil },
    {
      type: 'notification',
      at: NOW,
      server: evil,
      method: evil,
      params: { level: evil, data: evil },
    },
  ]);
  await writeFile(join(folder, 'r.ndjson'), [createHeader('test'), ...lines].map(toLine).join(''));
  try {
    await using terminal = await openTop(`--replay ${folder}/r.ndjson`, { env: { NO_COLOR: '1' } });
    // A minute of it, once more, and the rest at once.
    terminal.type(']]]]]]]');
    await terminal.shows(/❚❚ 1000× 14:03:59 100 % {2}r\.ndjson|❚❚ 1000×.* 100 %/);
    await terminal.shows(/gnp\.exe WWW/);
    expect(terminal.isAlternate()).toBe(true);
    terminal.type(`${TAB}${DOWN}${DOWN}${ENTER}`);
    await terminal.shows(/^Call 9001 · gnp\.exe/m);
    terminal.type(ESCAPE);
    await terminal.shows(/» CALLS/);
    terminal.type(`${TAB}${ENTER}`);
    await terminal.shows(/PARAMS/);
    terminal.type('c');
    await terminal.shows(/^This is a recording/m);
    terminal.type('q');
    await expectRestored(terminal, 0);
    const bytes = terminal.bytes();
    expect(bytes).not.toContain('\u001b]');
    // Signs, not colours, say everything.
    const looks = bytes.split('\u001b').flatMap((part) => /^\[[\d;]*m/.exec(part)?.[0] ?? []);
    expect(new Set(looks)).toEqual(new Set(['[0m']));
  } finally {
    await removeFolder(folder);
  }
});
