import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../../test/support/open-handles.ts';
import { isRunning } from '../../../../../test/support/process-tree.ts';
import { until } from '../../../../../test/support/until.ts';
import { LongwireError } from '../../../src/errors.ts';
import { failureOf } from '../../support/failure-of.ts';
import { openStdio, type OpenedStdio } from '../../support/open-stdio.ts';

expectNothingLeftOpen();

describe('a server that writes lines that are no messages', () => {
  it('still works, and each such line is an error', async () => {
    await using opened = await openStdio('noise');
    expect(await opened.ask('ping')).toEqual({});
    const { troubles } = opened;
    expect(troubles.map(({ error }) => error.code)).toEqual(Array(5).fill('protocol'));
    expect(troubles[0]?.error.message).toContain('Server running on stdio');
    expect(await opened.ask('ping')).toEqual({});
    expect(opened.ends).toEqual([]);
  });

  it('names the request of a broken answer', async () => {
    await using opened = await openStdio('noise');
    await opened.tell('garbled');
    await until(() => expect(opened.troubles).toHaveLength(1));
    expect(opened.troubles[0]).toMatchObject({
      error: { code: 'protocol', certainty: 'answered' },
      answerTo: 7,
    });
    expect(opened.messages).toEqual([]);
  });
});

describe('a server that writes too much', () => {
  it('is not blocked by its standard error, of which only the end is kept', async () => {
    await using opened = await openStdio('flood-stderr');
    expect(await opened.ask('ping')).toEqual({});
    await until(() => opened.channel.lastWords.endsWith('the very last line'));
    expect(opened.channel.lastWords.length).toBeLessThanOrEqual(4096);
    await opened.tell('exit');
    const { message } = await opened.end();
    expect(message).toMatch(/log log\nthe very last line$/);
    expect(message.length).toBeLessThan(4500);
  });

  it('ends at a line over the limit', async () => {
    await using opened = await openStdio('endless-line', { maxEventBytes: 100_000 });
    await opened.tell('ping');
    expect(await opened.end()).toMatchObject({
      name: 'LongwireError',
      code: 'limit-exceeded',
      certainty: 'outcome-unknown',
    });
    await opened.channel.close();
    expect(opened.ends).toHaveLength(1);
    expect(opened.messages).toEqual([]);
    expect(isRunning(opened.channel.pid)).toBe(false);
  });

  it('can be closed while it writes', async () => {
    await using opened = await openStdio('endless-line');
    const { lastActivityAt } = opened.channel;
    await opened.tell('ping');
    await until(() => opened.channel.lastActivityAt > lastActivityAt);
    await opened.channel.close();
    expect(isRunning(opened.channel.pid)).toBe(false);
    expect(opened.ends).toEqual([]);
  });
});

describe('a handler that throws', () => {
  const throwing = (error: Error) => ({
    onMessage: () => {
      throw error;
    },
    onError: () => {},
  });

  it('ends the channel, with the error that it throws', async () => {
    const reason = new LongwireError('too much', {
      code: 'limit-exceeded',
      certainty: 'outcome-unknown',
    });
    const ends: LongwireError[] = [];
    const onEnd = (end: LongwireError): void => void ends.push(end);
    await using opened = await openStdio('well-behaved', {
      handlers: { ...throwing(reason), onEnd },
    });
    await opened.tell('ping');
    await until(() => expect(ends).toEqual([reason]));
    expect(await failureOf(opened.tell('ping'))).toMatchObject({ certainty: 'not-sent' });
  });

  it('ends it with code `protocol` for any other error', async () => {
    const cause = new RangeError('no');
    const ends: LongwireError[] = [];
    const onEnd = (end: LongwireError): void => void ends.push(end);
    await using opened = await openStdio('well-behaved', {
      handlers: { ...throwing(cause), onEnd },
    });
    await opened.tell('ping');
    await until(() => expect(ends).toMatchObject([{ code: 'protocol', cause }]));
    await opened.channel.close();
  });
});

it('delivers nothing after a close() by a handler', async () => {
  const taken: JSONRPCMessage[] = [];
  let closed: Promise<void> | undefined;
  const opened: OpenedStdio = await openStdio('well-behaved', {
    handlers: {
      onMessage: (message) => {
        taken.push(message);
        closed = opened.channel.close();
      },
      onError: () => {},
      onEnd: (reason) => expect.unreachable(reason.message),
    },
  });
  // In one batch, so that the answers come in one chunk, or close to it.
  const all = [1, 2, 3].map(() => opened.tell('ping').catch(() => {}));
  await until(() => taken.length > 0);
  await Promise.all([closed, ...all]);
  expect(taken).toHaveLength(1);
});

describe('a server that reads nothing', () => {
  const request = (id: number, method: string, size = 0) => ({
    jsonrpc: '2.0' as const,
    id,
    method,
    params: { filler: 'x'.repeat(size) },
  });
  const cancel = (requestId: number) => ({
    jsonrpc: '2.0' as const,
    method: 'notifications/cancelled',
    params: { requestId },
  });

  interface Full extends AsyncDisposable {
    opened: OpenedStdio;
    first: Promise<unknown>;
    onWire: number[];
    send: (id: number) => Promise<void>;
  }

  /** A channel whose pipe is full with the request 1. */
  async function openFull(): Promise<Full> {
    const opened = await openStdio('silent');
    await until(() => opened.messages.length === 1);
    const onWire: number[] = [];
    const send = (id: number, size?: number): Promise<void> =>
      opened.channel.send(request(id, `call-${id}`, size), () => onWire.push(id));
    const first = send(1, 2_000_000).then(
      () => 'sent',
      (error: unknown) => error,
    );
    return { opened, first, onWire, send, [Symbol.asyncDispose]: () => opened.channel.close() };
  }

  it('lets requests wait in order, and withdraws cancelled ones', async () => {
    await using full = await openFull();
    const { opened, first, onWire, send } = full;
    const second = failureOf(send(2));
    const third = send(3);
    await opened.channel.send(cancel(2));
    expect(await second).toMatchObject({ code: 'closed', certainty: 'not-sent' });
    expect(onWire).toEqual([1]);

    const cancelled = opened.channel.send(cancel(1));
    process.kill(opened.channel.pid, 'SIGUSR2');
    await Promise.all([third, cancelled]);
    expect(await first).toBe('sent');
    expect(onWire).toEqual([1, 3]);
    const read = () =>
      opened.messages.slice(1).map((message) => (message as { params?: unknown }).params);
    await until(() => expect(read()).toHaveLength(3));
    expect(read()).toMatchObject([
      { method: 'call-1' },
      { method: 'call-3' },
      { method: 'notifications/cancelled', params: { requestId: 1 } },
    ]);
  });

  it('fails waiting requests as not sent when the channel is closed', async () => {
    await using full = await openFull();
    const { opened, first, onWire, send } = full;
    const second = failureOf(send(2));
    await opened.channel.close();
    expect(await second).toMatchObject({ code: 'closed', certainty: 'not-sent' });
    expect(await first).toMatchObject({ code: 'connection-lost' });
    expect(onWire).toEqual([1]);
    expect(isRunning(opened.channel.pid)).toBe(false);
  });

  it('fails waiting requests as not sent when it exits', async () => {
    await using full = await openFull();
    const { opened, first, onWire, send } = full;
    const second = failureOf(send(2));
    process.kill(opened.channel.pid, 'SIGKILL');
    expect(await second).toMatchObject({ code: 'connection-lost', certainty: 'not-sent' });
    expect((await opened.end()).message).toContain('was ended by SIGKILL');
    expect(await first).toMatchObject({ code: 'connection-lost' });
    expect(onWire).toEqual([1]);
  });
});
