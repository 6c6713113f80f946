import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectNothingLeftOpen } from './open-handles.ts';
import { runCli, startCli } from './run-cli.ts';

expectNothingLeftOpen();

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longwire-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** A command that does what the test says. */
async function command(source: string): Promise<{ bin: string }> {
  const bin = join(directory, `${Math.random()}.mjs`);
  await writeFile(bin, source);
  return { bin };
}

test('a command is run in an empty home without what the test was given', async () => {
  process.env['MCP_SERVER_URL'] = 'http://127.0.0.1:1';
  const options = await command(`
    import { readdirSync } from 'node:fs';
    const { MCP_SERVER_URL = null, OWN = null, HOME } = process.env;
    console.log(JSON.stringify({ MCP_SERVER_URL, OWN, HOME: HOME === process.cwd(), files: readdirSync('.'), args: process.argv.slice(2) }));
    process.stdin.on('end', () => { console.error('no input'); process.exitCode = 3; }).resume();
  `);
  const run = await runCli(['a', 'b c'], { ...options, env: { OWN: 'yes' } });
  delete process.env['MCP_SERVER_URL'];
  expect(JSON.parse(run.stdout)).toEqual({
    MCP_SERVER_URL: null,
    OWN: 'yes',
    HOME: true,
    files: [],
    args: ['a', 'b c'],
  });
  expect(run).toMatchObject({ code: 3, signal: null, stderr: 'no input\n' });
});

test('a command reads its input and is interrupted when it says so', async () => {
  const options = await command(`
    process.stdin.on('data', (text) => process.stderr.write('got ' + text));
    process.on('SIGINT', () => process.exit(130));
    setInterval(() => {}, 1000);
  `);
  const run = await runCli([], { ...options, stdin: { text: 'words' }, interruptOn: /got words/ });
  expect(run).toMatchObject({ code: 130, signal: null });
});

test('a command can be talked to', async () => {
  const options = await command(`
    process.stdin.on('data', (text) => console.log('\\u001b[1mgot\\u001b[0m ' + text)).on('end', () => console.log('bye'));
  `);
  await using started = await startCli([], { ...options, stdin: 'open' });
  started.write('one');
  await started.waitFor(/got one/);
  started.endInput();
  expect(await started.done).toMatchObject({ code: 0, signal: null });
  await expect(started.waitFor(/never/)).rejects.toThrow('it ended without /never/');
});

test('a command that does not end is killed, and what it wrote is told', async () => {
  const options = await command(`console.log('stuck'); setInterval(() => {}, 1000);`);
  await expect(runCli(['x'], { ...options, killAfterMs: 1000 })).rejects.toThrow(
    /longwire x did not end in 1000 ms\nstdout: stuck/,
  );
});
