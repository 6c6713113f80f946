import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../../test/support/open-handles.ts';
import { isRunning, killAtOnce } from '../../../../../test/support/process-tree.ts';
import { until } from '../../../../../test/support/until.ts';
import { failureOf } from '../../support/failure-of.ts';
import { openStdio, stdioServer } from '../../support/open-stdio.ts';

expectNothingLeftOpen();

const lost = { name: 'ConnectionLostError', code: 'connection-lost', certainty: 'outcome-unknown' };

describe('a server that ends', () => {
  it('is reported once, with its code and its last words, after its messages', async () => {
    await using opened = await openStdio('crash');
    await opened.tell('exit', { words: 'out of \u001b[31mcheese\u001b[0m\n' });
    const error = await opened.end();
    expect(error).toMatchObject(lost);
    expect(error.message).toMatch(
      /^the server process \(.*crash\.mjs\) ended with code 3; its last words: out of \S+cheese\S+$/,
    );
    expect(opened.messages).toEqual([{ jsonrpc: '2.0', method: 'notifications/last' }]);
    expect(isRunning(opened.channel.pid)).toBe(false);

    let wasOnWire = false;
    const sent = opened.channel.send({ jsonrpc: '2.0', method: 'late' }, () => (wasOnWire = true));
    expect(await failureOf(sent)).toMatchObject({ code: 'connection-lost', certainty: 'not-sent' });
    expect(wasOnWire).toBe(false);
    await opened.channel.close();
    expect(opened.ends).toEqual([error]);
  });

  it('is reported with the signal that ended it', async () => {
    await using opened = await openStdio('crash');
    await opened.tell('kill');
    expect((await opened.end()).message).toMatch(/\) was ended by SIGKILL$/);
  });

  it('keeps the end of long last words, in whole characters', async () => {
    await using opened = await openStdio('crash');
    await opened.tell('exit', { words: `first ${'é'.repeat(5000)} last\n` });
    const [, words = ''] = (await opened.end()).message.split('its last words: ');
    expect(words).toMatch(/^é+ last$/);
    expect(Buffer.byteLength(words)).toBeLessThanOrEqual(4096);
    expect(words.length).toBeGreaterThan(2000);
  });

  it('may leave half a line, which is an error and no message', async () => {
    await using opened = await openStdio('crash');
    await opened.tell('half-a-line');
    expect((await opened.end()).message).toMatch(/ended with code 0$/);
    expect(opened.messages).toEqual([{ jsonrpc: '2.0', method: 'notifications/last' }]);
    expect(opened.troubles).toMatchObject([{ error: { code: 'protocol' }, answerTo: undefined }]);
  });

  it('may omit the end of its last line', async () => {
    await using opened = await openStdio('crash');
    expect(await opened.ask('line-without-end')).toEqual({ whole: true });
    await opened.end();
    expect(opened.troubles).toEqual([]);
  });

  it('is not reported after close(), whatever it still writes', async () => {
    await using opened = await openStdio('well-behaved');
    const announced = opened.tell('announce');
    await opened.channel.close();
    await announced.catch(() => {});
    expect(opened.ends).toEqual([]);
    expect(opened.messages).toEqual([]);
    const late = failureOf(opened.tell('echo'));
    expect(await late).toMatchObject({ code: 'connection-lost', certainty: 'not-sent' });
  });
});

describe('a server that closes a pipe and keeps running', () => {
  it.each([
    ['close-output', 'closed its standard output'],
    ['close-input', 'closed its standard input'],
  ])('counts as ended, and is ended: %s', async (method, what) => {
    await using opened = await openStdio('closes-a-pipe');
    const { channel } = opened;
    await opened.tell(method);
    // That nobody reads any more is only noticed by who writes.
    await until(() =>
      opened.tell('ping').then(
        () => false,
        () => true,
      ),
    );
    expect(await opened.end()).toMatchObject(lost);
    expect(opened.ends[0]?.message).toContain(what);
    await channel.close();
    expect(isRunning(channel.pid)).toBe(false);
    expect(opened.ends).toHaveLength(1);
  });
});

describe('the whole tree is ended', () => {
  it('when the server ignores the end of its input and SIGTERM', async () => {
    await using opened = await openStdio('stubborn');
    expect(await opened.ask('ping')).toEqual({});
    await opened.channel.close();
    expect(isRunning(opened.channel.pid)).toBe(false);
    expect(opened.ends).toEqual([]);
  });

  it('when the server leaves children behind', async () => {
    await using opened = await openStdio('grandchildren');
    const { pids } = (await opened.ask('pids')) as { pids: number[] };
    expect(pids.filter(isRunning)).toEqual(pids);
    await opened.channel.close();
    expect([opened.channel.pid, ...pids].filter(isRunning)).toEqual([]);
  });

  it('when the server crashed, without a close()', async () => {
    await using opened = await openStdio('grandchildren');
    const { pids } = (await opened.ask('pids')) as { pids: number[] };
    expect(pids).toHaveLength(2);
    await opened.tell('crash');
    expect((await opened.end()).message).toContain('ended with code 1');
    await until(() => pids.every((pid) => !isRunning(pid)));
    await opened.channel.close();
  });

  it('except processes that have left it, which delay nothing', async () => {
    await using opened = await openStdio('grandchildren');
    const { pids } = (await opened.ask('pids')) as { pids: number[] };
    const { pid } = (await opened.ask('daemon')) as { pid: number };
    try {
      await opened.tell('crash');
      expect((await opened.end()).message).toContain('ended with code 1');
      await opened.channel.close();
      expect(pids.filter(isRunning)).toEqual([]);
      expect(isRunning(pid)).toBe(true);
    } finally {
      killAtOnce(pid);
    }
  });

  it('when our own process exits', async () => {
    const program = fileURLToPath(new URL('../../support/exit-without-close.mjs', import.meta.url));
    const { command, args } = stdioServer('grandchildren');
    const { stdout } = await promisify(execFile)(command, [program, command, ...args]);
    const pids = JSON.parse(stdout) as number[];
    expect(pids).toHaveLength(3);
    await until(() => pids.every((pid) => !isRunning(pid)));
  });
});

it('listens once for the exit of our own process, and only while there are servers', async () => {
  const before = process.listeners('exit');
  const first = await openStdio('well-behaved');
  const withOne = process.listenerCount('exit');
  expect(withOne).toBe(before.length + 1);
  const others = await Promise.all([1, 2, 3].map(() => openStdio('well-behaved')));
  expect(process.listenerCount('exit')).toBe(withOne);
  await Promise.all([first, ...others].map(({ channel }) => channel.close()));
  expect(process.listeners('exit')).toEqual(before);
});
