import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { descendantsOf, isRunning, killAtOnce } from '../support/process-tree.ts';
import { type CliProcess, runCli, startCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { complaintOf } from './support/keyed-run.ts';
import { command, everything, misbehaving, ownServer } from './support/servers.ts';
import { removeFolder } from '../support/remove-folder.ts';

expectNothingLeftOpen();

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longwire-'));
});
afterEach(() => removeFolder(directory));

/** The processes below a command, as soon as there are so many. */
async function belowOf({ pid }: CliProcess, count: number): Promise<number[]> {
  await until(() => expect(descendantsOf(pid)).toHaveLength(count));
  return descendantsOf(pid);
}

/** Waits until the processes are gone: what is killed takes a moment. Ends those that stay. */
async function expectGone(pids: readonly number[]): Promise<void> {
  try {
    await until(() => expect(pids.filter(isRunning)).toEqual([]));
  } finally {
    pids.filter(isRunning).forEach(killAtOnce);
  }
}

describe('a program that is no server', () => {
  test('because it is not there: 3, on one line', async () => {
    const run = await runCli(['tools', '--', 'no-such-program-of-longwire', '--help']);
    expect([run.code, run.stdout]).toEqual([3, '']);
    expect(complaintOf(run)).toMatch(
      /^error: cannot start no-such-program-of-longwire: there is no such program; check .*PATH/,
    );
  });

  test('because it may not be executed: 3', async () => {
    const run = await runCli(['tools', '--', import.meta.filename]);
    expect(run.code).toBe(3);
    expect(complaintOf(run)).toMatch(/may not be executed; check the permissions/);
  });

  test('because it ends: 3, with its last words and none of its control sequences', async () => {
    const code = String.raw`console.error('\x1b[31mno\x1b]0;title\x07 licence\n\x9b2Jbuy one');process.exit(7)`;
    const run = await runCli(['tools', ...command('-e', code)]);
    expect([run.code, run.stdout]).toEqual([3, '']);
    expect(complaintOf(run)).toMatch(/ended with code 7; its last words: no licence buy one$/);
  });

  test('because it ends before it has read anything: 3, with its last words', async () => {
    const run = await runCli(['tools', '--', 'sh', '-c', 'echo no such option >&2; exit 2']);
    expect(run.code).toBe(3);
    expect(complaintOf(run)).toMatch(/ended with code 2; its last words: no such option$/);
  });

  test('because it ends, and of many words the last are shown', async () => {
    const code = `console.error('a trace of words, '.repeat(1000) + 'ModuleNotFoundError');process.exit(1)`;
    const run = await runCli(['tools', ...command('-e', code)]);
    expect(run.code).toBe(3);
    expect(complaintOf(run)).toMatch(
      /ended with code 1; its last words: .* … .*ModuleNotFoundError$/,
    );
  });

  test('because it never answers: 3, and it is ended', async () => {
    const file = join(directory, 'pid');
    const code = `fs.writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1e6)`;
    const run = await runCli(['tools', '--timeout', '3s', ...command('-e', code, file)]);
    expect(run.code).toBe(3);
    expect(complaintOf(run)).toMatch(/no MCP server answered at node within \d+ ms.*--timeout$/);
    await expectGone([Number(readFileSync(file, 'utf8'))]);
  });
});

describe('a server that dies in a call', () => {
  test('that may have changed something: 6, with its last words', async () => {
    const run = await runCli(['call', 'die', ...command(ownServer)]);
    expect([run.code, run.stdout]).toEqual([6, '']);
    expect(complaintOf(run)).toMatch(
      /lost during the call of die; .*not known: the server process .* ended with code 3; its last words: the disk is full; it may have run/,
    );
  });

  test('that does no harm is started again, and called again', async () => {
    const file = join(directory, 'died');
    const run = await runCli(['call', 'die-once', ...command(ownServer, file)]);
    expect([run.code, run.stdout]).toEqual([0, 'alive\n']);
    expect(existsSync(file)).toBe(true);
    expect(run.stderr).toMatch(
      /^the connection was lost \(the server process .* ended with code 3; its last words: the disk is full\) and is back; the call was sent again\n$/,
    );
  });
});

describe('nothing is left', () => {
  test('after a call', async () => {
    const { code, stdout } = await runCli(['call', 'process', ...command(ownServer)]);
    expect(code).toBe(0);
    await expectGone([(JSON.parse(stdout) as { pid: number }).pid]);
  });

  test.for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('after %s in a call: 130', async (signal) => {
    await using cli = await startCli(['call', 'hang', '--verbose', ...command(ownServer)]);
    await cli.waitFor(/it hangs/);
    const below = await belowOf(cli, 1);
    cli.kill(signal);
    const { code, stdout, stderr } = await cli.done;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toContain('Interrupted.');
    await expectGone([cli.pid, ...below]);
  });

  test.for([
    ['silent', 1],
    ['stubborn', 1],
    ['grandchildren', 3],
  ] as const)('after Ctrl-C while it connects to %s: 130', async ([name, count]) => {
    await using cli = await startCli(['tools', ...command(misbehaving(name))]);
    const below = await belowOf(cli, count);
    cli.kill('SIGINT');
    const { code, stderr } = await cli.done;
    expect([code, stderr]).toEqual([130, 'Interrupted.\n']);
    await expectGone([cli.pid, ...below]);
  });

  test('after the second Ctrl-C, of a server that does not want to end', async () => {
    await using cli = await startCli(['tools', ...command(misbehaving('stubborn'))]);
    const below = await belowOf(cli, 1);
    cli.kill('SIGINT');
    cli.kill('SIGINT');
    expect((await cli.done).code).toBe(130);
    await expectGone([cli.pid, ...below]);
  });

  test('of a server that npm started', async () => {
    const words = ['npm', 'exec', '--offline', '--', process.execPath, everything, 'stdio'];
    const cwd = join(import.meta.dirname, '../..');
    await using cli = await startCli(['watch', '--', ...words], { cwd });
    await cli.waitFor(/Watching/);
    const below = descendantsOf(cli.pid);
    expect(below.length).toBeGreaterThan(1);
    cli.kill('SIGINT');
    expect((await cli.done).code).toBe(130);
    await expectGone(below);
  });
});

describe('watch', () => {
  test('shows what it sends, and starts it again when it dies', async () => {
    await using cli = await startCli(['watch', ...command(ownServer)]);
    await cli.waitFor(/log info: pid \d+/);
    const [first = 0] = await belowOf(cli, 1);
    expect(cli.stdout()).toContain(`log info: pid ${first}`);
    killAtOnce(first);
    await cli.waitFor(/ready again \(new session\): stdio with .*[^]*log info: pid \d+/);
    const [second = 0] = await belowOf(cli, 1);
    cli.kill('SIGINT');
    const { code, stdout } = await cli.done;
    expect(code).toBe(130);
    expect(stdout).toMatch(/reconnecting in .*: the server process .* was ended by SIGKILL\n/);
    expect(stdout).toContain(`log info: pid ${second}`);
    await expectGone([first, second]);
  });
});
