import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startEverything } from '../support/peers.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { runCli } from '../support/run-cli.ts';
import { command, everything } from './support/servers.ts';
import { hasTerminal, startAtTerminal } from './support/terminal.ts';

expectNothingLeftOpen();

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'longwire-check-'));
});
afterEach(() => removeFolder(cwd));

const checks = [
  { tool: 'echo', arguments: { message: 'hi' }, expect: { contains: 'Echo: hi' } },
  {
    tool: 'get-structured-content',
    arguments: { location: 'New York' },
    expect: { equals: { temperature: 33, conditions: 'Cloudy', humidity: 82 } },
  },
  { tool: 'get-structured-content', arguments: { location: 'Atlantis' }, expect: { error: true } },
];

async function writeChecks(server: string): Promise<void> {
  const file = { checks: checks.map((check) => ({ server, ...check })) };
  await writeFile(join(cwd, 'c.json'), JSON.stringify(file));
}

test('server-everything answers as expected, at its URL and as a command', async () => {
  await using server = await startEverything({ mode: 'streamableHttp' });
  await writeChecks(server.url);
  const atUrl = await runCli(['check', 'c.json', '--yes'], { cwd });
  expect([atUrl.code, atUrl.stderr]).toEqual([0, '3 held.\n']);
  const asCommand = ['check', 'c.json', '--yes', ...command(everything, 'stdio')];
  const { code, stdout, stderr } = await runCli(asCommand, { cwd });
  expect([code, stderr]).toEqual([0, '3 held.\n']);
  expect(stdout.match(/^held /gm)).toHaveLength(3);
});

test('Ctrl-C ends a check, with 130', async () => {
  const slow = {
    server: 'any',
    tool: 'trigger-long-running-operation',
    arguments: { duration: 60, steps: 600 },
  };
  await writeFile(
    join(cwd, 'c.json'),
    JSON.stringify({ checks: [{ server: 'any', ...checks[0] }, slow] }),
  );
  const run = await runCli(['check', 'c.json', '--yes', ...command(everything, 'stdio')], {
    cwd,
    interruptOn: /^held/m,
  });
  expect(run.code).toBe(130);
  expect(run.stderr).toContain('Interrupted.');
});

test.runIf(hasTerminal)('asks once before calls that may change things', async () => {
  await writeChecks('any');
  const words = ['check', 'c.json', ...command(everything, 'stdio')];
  const question = /These calls may change things\. Run them\?/;
  {
    await using run = await startAtTerminal(words, { cwd });
    expect(await run.shows(question)).toContain('"any" "echo" {"message":"hi"}');
    run.type('y\r');
    expect(await run.shows(/3 held\./)).toMatch(/^held .* echo /m);
    expect(await run.ended).toBe(0);
  }
  for (const [answer, code] of [
    ['\r', 2],
    ['\u0003', 130],
  ] as const) {
    await using run = await startAtTerminal(words, { cwd });
    await run.shows(question);
    run.type(answer);
    expect(await run.ended).toBe(code);
  }
});
