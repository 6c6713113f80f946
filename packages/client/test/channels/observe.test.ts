import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { startStreamable } from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import {
  createClient,
  type WireEvent,
  type WireExchange,
  type WireMessage,
} from '../../src/index.ts';
import { TrafficCounts } from '../../src/http/traffic-counts.ts';
import { openStdio } from '../support/open-stdio.ts';
import { all } from './contract-servers.ts';

expectNothingLeftOpen();

const messagesOf = (events: readonly WireEvent[]): WireMessage[] =>
  events.filter((event) => event.type === 'message');

const exchangesOf = (events: readonly WireEvent[]): WireExchange[] =>
  events.filter((event) => event.type === 'exchange');

describe.each(Object.entries(all))('who observes a client of %s', (_name, { transport, start }) => {
  it('is told of the request and the answer of a call, and of every exchange to its end', async () => {
    await using server = await start();
    const events: WireEvent[] = [];
    const client = createClient(server.target, {
      ...('headers' in server && { headers: server.headers as Record<string, string> }),
      observe: (event) => void events.push(event),
    });
    await client.callTool('echo', { message: 'seen' });
    const stats = client.stats();
    await client.close();

    const messages = messagesOf(events);
    const call = messages.find(
      ({ direction, message }) =>
        direction === 'sent' && 'method' in message && message.method === 'tools/call',
    );
    expect(call).toMatchObject({ message: { params: { arguments: { message: 'seen' } } } });
    const { id } = (call as WireMessage).message as { id: number };
    const answer = messages.find(
      ({ direction, message }) =>
        direction === 'received' && 'result' in message && message.id === id,
    );
    expect(answer).toMatchObject({ message: { result: { content: [{ text: 'seen' }] } } });
    expect(messages.indexOf(call as WireMessage)).toBeLessThan(
      messages.indexOf(answer as WireMessage),
    );
    const received = messages.filter(({ direction }) => direction === 'received');
    expect(stats.messages.received).toBe(received.length);

    const exchanges = exchangesOf(events);
    const isHttp = transport !== 'stdio' && transport !== 'in-memory';
    if (isHttp) {
      const carrier = exchanges.find(({ message }) => message === call?.message);
      expect(carrier).toMatchObject({ phase: 'sent', method: 'POST', bytesSent: call?.bytes });
    } else expect(exchanges).toEqual([]);
    for (const { exchange } of exchanges) {
      const phases = exchanges.filter((each) => each.exchange === exchange);
      expect(phases.map(({ phase }) => phase)).toEqual(
        phases.length === 2 ? ['sent', 'ended'] : ['sent', 'answered', 'ended'],
      );
    }
    const bytes = messages.map((each) => each.bytes);
    expect(bytes.every((each) => (transport === 'in-memory' ? each === 0 : each > 0))).toBe(true);
  });
});

it('an observer that throws changes nothing', async () => {
  await using server = await startStreamable({});
  await using client = createClient(server.url, {
    observe: () => {
      throw new Error('from the observer');
    },
  });
  expect(await client.callTool('echo', { message: 'whole' })).toMatchObject({
    content: [{ text: 'whole' }],
  });
});

it('URLs are without their query, and a challenge is an exchange of its own', async () => {
  await using server = await startStreamable({
    requiredHeaders: { authorization: 'Bearer new' },
  });
  const events: WireEvent[] = [];
  let token = 'old';
  await using client = createClient(`${server.url}?key=secret`, {
    headers: () => ({ authorization: `Bearer ${token}` }),
    auth: {
      onChallenge: () => {
        token = 'new';
        return 'retry';
      },
    },
    observe: (event) => void events.push(event),
  });
  await client.listTools();
  const answered = exchangesOf(events).filter(({ phase }) => phase === 'answered');
  const { exchange: first = 0 } = answered[0] ?? {};
  expect(answered[0]).toMatchObject({ exchange: first, status: 401, url: server.url });
  // The probe of the newest era, with the new token.
  expect(answered[1]).toMatchObject({ exchange: first + 1, status: 400, url: server.url });
  expect(answered[2]).toMatchObject({ exchange: first + 2, status: 200, url: server.url });
  expect(answered[2]?.contentType).toMatch(/^text\/event-stream/);
  const refused = exchangesOf(events).find(({ phase, error }) => phase === 'ended' && error);
  expect(refused).toMatchObject({ exchange: first, error: { code: 'unauthorized' } });
});

it('a request that finds no connection is over at once', async () => {
  const events: WireEvent[] = [];
  const client = createClient('http://127.0.0.1:9/mcp', {
    observe: (event) => void events.push(event),
  });
  await expect(client.connect()).rejects.toMatchObject({ code: 'connect-failed' });
  expect(messagesOf(events)).toEqual([]);
  expect(exchangesOf(events)[0]).toMatchObject({
    phase: 'ended',
    status: undefined,
    error: { code: 'connect-failed' },
  });
});

it('a process is told from its start to its exit, with what it wrote beside messages', async () => {
  const events: WireEvent[] = [];
  const counts = new TrafficCounts((event) => void events.push(event));
  await using noisy = await openStdio('noise', { counts });
  await noisy.ask('ping');
  await noisy.channel.close();
  const [started] = events;
  expect(started).toMatchObject({ type: 'process', phase: 'started', pid: noisy.channel.pid });
  const lines = events.flatMap((event) => (event.type === 'output' ? [event] : []));
  expect(lines.every(({ from }) => from === 'stdout')).toBe(true);
  expect(lines.map(({ line }) => line)).toContain('Server running on stdio');
  expect(lines.map(({ line }) => line)).toContain('[1,2,3]');
  await until(() => expect(events.at(-1)).toMatchObject({ type: 'process', phase: 'exited' }));

  events.length = 0;
  await using crashing = await openStdio('crash', { counts });
  void crashing.tell('exit', { words: 'first\r\nsecond\n\nno end' });
  await crashing.end();
  const written = events.flatMap((event) => (event.type === 'output' ? [event] : []));
  expect(written.map(({ from, line }) => `${from}: ${line}`)).toEqual([
    'stderr: first',
    'stderr: second',
    'stderr: no end',
  ]);
  expect(events).toContainEqual(expect.objectContaining({ phase: 'exited', exitCode: 3 }));
});

it('a flood on standard error is told in lines that are bounded', async () => {
  let lines = 0;
  let last = '';
  const counts = new TrafficCounts((event) => {
    if (event.type !== 'output') return;
    lines++;
    last = event.line;
  });
  await using server = await openStdio('flood-stderr', { counts });
  await server.ask('ping');
  await until(() => expect(last).toBe('the very last line'));
  expect(lines).toBeGreaterThan(1_000_000);
});

it('nothing is made of a message that nobody observes', () => {
  const counts = new TrafficCounts();
  const message = {
    jsonrpc: '2.0' as const,
    method: 'notifications/x',
    params: {
      toJSON: () => {
        throw new Error('it was looked at');
      },
    },
  };
  expect(() => counts.received(message)).not.toThrow();
  expect(counts.messagesReceived).toBe(1);
  expect(() => new TrafficCounts(() => {}).received(message)).toThrow('it was looked at');
});
