import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { expectNothingLeftOpen } from '../../../../../test/support/open-handles.ts';
import { descendantsOf, isRunning } from '../../../../../test/support/process-tree.ts';
import { until } from '../../../../../test/support/until.ts';
import { failureOf } from '../../support/failure-of.ts';
import { openStdio } from '../../support/open-stdio.ts';

expectNothingLeftOpen();

const repository = fileURLToPath(new URL('../../../..', import.meta.url));
const everything = fileURLToPath(
  import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
);

const initialize = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'test', version: '0' },
};

describe.each([
  ['node', { command: process.execPath, args: [everything, 'stdio'] }],
  ['npx', { command: 'npx', args: ['--no', 'mcp-server-everything', 'stdio'] }],
])('server-everything, started by %s', (_name, command) => {
  it('answers, and has ended after close()', async () => {
    const opened = await openStdio(command, { cwd: repository });
    const { channel } = opened;
    expect(await opened.ask('initialize', initialize)).toMatchObject({ capabilities: {} });
    await channel.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(await opened.ask('tools/list')).toMatchObject({
      tools: expect.arrayContaining([expect.objectContaining({ name: 'echo' })]),
    });
    expect(
      await opened.ask('tools/call', { name: 'echo', arguments: { message: 'hällo 🌍' } }),
    ).toMatchObject({ content: [{ type: 'text', text: 'Echo: hällo 🌍' }] });

    const pids = [channel.pid, ...descendantsOf(channel.pid)];
    expect(pids.filter(isRunning)).toEqual(pids);
    await Promise.all([channel.close(), channel.close()]);
    await channel.close();
    expect(pids.filter(isRunning)).toEqual([]);
    expect(opened.ends).toEqual([]);
    expect(opened.troubles).toEqual([]);
  });
});

describe('a stdio channel', () => {
  it('says what it is', async () => {
    await using opened = await openStdio('well-behaved', { env: { API_KEY: 'very-secret' } });
    const { channel } = opened;
    expect(channel).toMatchObject({ transport: 'stdio', era: 'legacy' });
    expect(channel.askedDelayMs).toBeUndefined();
    expect(channel.resumption).toBeUndefined();
    expect(channel.address).toMatch(/node \/.*well-behaved\.mjs$/);
    channel.era = 'modern';
    expect(channel.era).toBe('modern');
  });

  it('shows no more than 200 characters of a command line', async () => {
    const command = { command: process.execPath, args: ['-e', '0', 'x'.repeat(1000)] };
    await using opened = await openStdio(command);
    // A word that does not fit is left out: half a secret would not be recognised as one.
    expect(opened.channel.address).toBe(`${process.execPath} -e 0 …`);
    expect((await opened.end()).message).not.toContain('xx');
  });

  it('inherits the variables that every program needs, and no others', async () => {
    vi.stubEnv('LONGWIRE_TEST_SECRET', 'hidden');
    vi.stubEnv('NODE_OPTIONS', '--no-warnings');
    try {
      await using opened = await openStdio('well-behaved', { env: { GIVEN: 'yes', SHELL: '/x' } });
      const environment = await opened.ask('environment');
      expect(environment).toMatchObject({ PATH: process.env['PATH'], GIVEN: 'yes', SHELL: '/x' });
      expect(environment).not.toHaveProperty('LONGWIRE_TEST_SECRET');
      expect(environment).not.toHaveProperty('NODE_OPTIONS');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('runs the program in cwd', async () => {
    const cwd = await realpath(await mkdtemp(join(tmpdir(), 'longwire-stdio-')));
    try {
      await using opened = await openStdio('well-behaved', { cwd });
      expect(await opened.ask('cwd')).toEqual({ cwd });
    } finally {
      await rm(cwd, { recursive: true });
    }
  });

  it('keeps the order of parallel requests and of their answers', async () => {
    await using opened = await openStdio('well-behaved');
    const order: number[] = [];
    const all = Array.from({ length: 2000 }, (_, index) =>
      opened.channel.send(
        { jsonrpc: '2.0', id: index, method: 'echo', params: { text: '✓'.repeat(index) } },
        () => order.push(index),
      ),
    );
    await Promise.all(all);
    await until(() => expect(opened.messages).toHaveLength(all.length));
    const ids = all.map((_, index) => index);
    expect(order).toEqual(ids);
    expect(opened.messages).toEqual(
      ids.map((id) => ({ jsonrpc: '2.0', id, result: { text: '✓'.repeat(id) } })),
    );
  });

  it('sends and receives messages of many megabytes, with line ends in them', async () => {
    await using opened = await openStdio('well-behaved');
    const text = 'a line\r\nand "another"\u2028 💡\n'.repeat(300_000);
    expect((await opened.ask('echo', { text }))['text'] === text).toBe(true);
  });

  it('counts anything that arrives as activity', async () => {
    await using opened = await openStdio('well-behaved');
    const before = opened.channel.lastActivityAt;
    await opened.tell('announce');
    await until(() => expect(opened.messages).toHaveLength(1));
    expect(opened.channel.lastActivityAt).toBeGreaterThan(before);
  });

  it('rejects a message that is no JSON, and stays open', async () => {
    await using opened = await openStdio('well-behaved');
    const cyclic: Record<string, unknown> = {};
    cyclic['count'] = cyclic;
    await expect(opened.tell('echo', cyclic)).rejects.toBeInstanceOf(TypeError);
    expect(await opened.ask('echo', { count: 1 })).toEqual({ count: 1 });
  });
});

describe('a command that cannot be started', () => {
  const failing = { code: 'connect-failed', certainty: 'not-sent' };

  it('names the program that is missing', async () => {
    const error = await failureOf(openStdio({ command: 'no-such-program', args: ['--secret'] }));
    expect(error).toMatchObject(failing);
    expect(error.summary).toBe('cannot start no-such-program: there is no such program');
    expect(error.hint).toContain('PATH');
  });

  it('names the working directory that is missing', async () => {
    const error = await failureOf(openStdio('well-behaved', { cwd: '/no/such/place' }));
    expect(error).toMatchObject({ ...failing, hint: 'check cwd' });
    expect(error.summary).toContain('/no/such/place does not exist');
  });

  it('says that a file is no program', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'longwire-stdio-'));
    const command = join(directory, 'plain.txt');
    try {
      await writeFile(command, 'text', { mode: 0o644 });
      const error = await failureOf(openStdio({ command }));
      expect(error).toMatchObject(failing);
      expect(error.summary).toBe(`cannot start ${command}: it may not be executed`);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('fails in the same way if Node throws', async () => {
    const error = await failureOf(openStdio({ command: 'node', args: ['a\0b'] }));
    expect(error).toMatchObject(failing);
  });
});
