import { connect } from 'node:net';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { descendantsOf, isRunning } from '../support/process-tree.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { removeFolder } from '../support/remove-folder.ts';

expectNothingLeftOpen();

const listensAt = /listens at http:\/\/127\.0\.0\.1:(\d+)\/sse/;

/** Whether anything listens on a port of 127.0.0.1. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

/** The port of the demo's own server, from what the demo printed. */
function portOf(stdout: string): number {
  const port = Number(listensAt.exec(stdout)?.[1]);
  expect(port, stdout).toBeGreaterThan(0);
  return port;
}

test('without a terminal it tours its own server, and ends', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'longwire-'));
  try {
    // The settings of other commands do not affect it.
    const elsewhere = { MCP_SERVER_URL: 'http://127.0.0.1:9/sse', MCP_API_KEY: 'another-key' };
    const run = await runCli(['demo'], { env: { TMPDIR: directory, ...elsewhere } });
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout.match(/the demo cuts its connection|reconnecting|new session/g)).toEqual([
      'the demo cuts its connection',
      'reconnecting',
    ]);
    for (const shown of [
      listensAt,
      /^transport +sse/m,
      /^server +Longwire demo 0\.1\.0$/m,
      /^protocol +20\d\d-\d\d-\d\d$/m,
      // Its tools.
      /^echo /m,
      /^add /m,
      /^stream_stock_prices /m,
      /^long_task /m,
      /^forecast /m,
      /^chart /m,
      /^fail /m,
      // A call, and one with progress, of which the last step is always shown.
      /^hello over the wire$/m,
      /progress 10\/10 AAPL \d/,
      /^ {2}10 progress reports$/m,
      // In the middle of the long task the connection is cut and resumed: the task runs on.
      /^ {2}log step 3 of 5\n {2}the demo cuts its connection\n {2}reconnecting in \d+ m?s \(attempt 1 of 5\): .*\n[^]*^ {2}log step 4 of 5\n {2}log step 5 of 5\n[^]*^Done: 5 steps of 200 ms\.\nThe stream was cut.*resumed on a new connection/m,
      // A structured result, an image, an error, a resource.
      /^ {2}"city": "Lisbon",$/m,
      /^image \(image\/png, .*\) saved to \S+\.png$/m,
      /^This tool always fails\.$/m,
      /isError/,
      /^<demo:\/\/about>$/m,
    ]) {
      expect(run.stdout).toMatch(shown);
    }
    const path = / saved to (\S+\.png)$/m.exec(run.stdout)?.[1] ?? '';
    expect(path.startsWith(directory)).toBe(true);
    const signature = (await readFile(path)).subarray(0, 8);
    expect(signature).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
    expect(await isOpen(portOf(run.stdout))).toBe(false);
  } finally {
    await removeFolder(directory);
  }
});

test('with a key it chats after the tour', async () => {
  const claude = await startScriptedClaude([
    { calls: [{ id: 'toolu_1', name: 'add', arguments: { a: 20, b: 3 } }] },
    { text: 'That makes twenty-three.' },
  ]);
  try {
    const { code, stdout } = await runCli(['demo'], {
      env: { ANTHROPIC_BASE_URL: claude.url, ANTHROPIC_API_KEY: 'sk-ant-key-of-the-demo-test' },
      stdin: { text: 'What is 20 + 3?\n' },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/That was the tour[^]*That makes twenty-three\.\n$/);
    expect(JSON.stringify(claude.bodies()[1]?.messages)).toContain('20 + 3 = 23');
    expect(await isOpen(portOf(stdout))).toBe(false);
  } finally {
    await claude.close();
  }
});

test('with a key and nothing to read it ends after the tour', async () => {
  const claude = await startScriptedClaude([]);
  try {
    const env = {
      ANTHROPIC_BASE_URL: claude.url,
      ANTHROPIC_API_KEY: 'sk-ant-key-of-the-demo-test',
    };
    const { code, stdout } = await runCli(['demo'], { env });
    expect([code, stdout]).toEqual([0, expect.stringContaining('That was the tour')]);
    expect(claude.proxy.requests).toEqual([]);
  } finally {
    await claude.close();
  }
});

describe('Ctrl-C ends it with 130, and nothing is left', () => {
  test.for([
    ['as soon as it listens', /listens at/],
    ['during a call with progress', /progress \d+\/10/],
    ['during the long task', /log step 2/],
    ['while it reconnects', /reconnecting/],
  ] as const)('%s', async ([, moment]) => {
    await using command = await startCli(['demo']);
    await command.waitFor(moment);
    const below = descendantsOf(command.pid);
    const port = portOf(command.stdout());
    expect(await isOpen(port)).toBe(true);
    command.kill('SIGINT');
    const { code, stdout, stderr } = await command.done;
    expect([code, stderr]).toEqual([130, 'Interrupted.\n']);
    expect(stdout).not.toContain('That was the tour');
    expect(await isOpen(port)).toBe(false);
    expect([command.pid, ...below].filter(isRunning)).toEqual([]);
  });
});
