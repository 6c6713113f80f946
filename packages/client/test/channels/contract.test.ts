import { AsyncResource } from 'node:async_hooks';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { until } from '../../../../test/support/until.ts';
import type { Channel } from '../../src/channels/channel.ts';
import { TrafficCounts } from '../../src/http/traffic-counts.ts';
import type { LongwireError } from '../../src/errors.ts';
import { dial } from '../../src/dial/dial.ts';
import { parseTarget } from '../../src/dial/target.ts';
import { all, http, speaking, streams, type ContractServer } from './contract-servers.ts';
import type { ChannelOptions } from '../../src/options/channel-options.ts';

expectNothingLeftOpen();

interface Opened {
  channel: Channel;
  messages: JSONRPCMessage[];
  ends: LongwireError[];
  troubles: LongwireError[];
  /** A request in the words of the channel's era. */
  ask(id: number, method: string, params?: Record<string, unknown>): JSONRPCRequest;
  /** The stream on which the server speaks unasked is open. */
  listening: Promise<void>;
  /** It has ended, or there was none. */
  deaf: Promise<void>;
}

const clientInfo = { name: 'contract', version: '0' };
const envelope = {
  [PROTOCOL_VERSION_META_KEY]: '2026-07-28',
  [CLIENT_INFO_META_KEY]: clientInfo,
  [CLIENT_CAPABILITIES_META_KEY]: {},
};
const firstRequests = {
  discover: {
    jsonrpc: '2.0' as const,
    id: 0,
    method: 'server/discover',
    params: { _meta: envelope },
  },
  initialize: {
    jsonrpc: '2.0' as const,
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
  },
  methods: ['discover', 'initialize'] as const,
};

async function open(
  server: ContractServer,
  options: Partial<ChannelOptions> = {},
): Promise<Opened> {
  const told: Pick<Opened, 'messages' | 'ends' | 'troubles'> = {
    messages: [],
    ends: [],
    troubles: [],
  };
  const { channel, answer } = await dial({
    target: parseTarget(server.target),
    transport: undefined,
    firstRequests,
    resumption: undefined,
    onResumed: () => {},
    handlers: {
      onMessage: (message) => told.messages.push(message),
      onError: (error) => told.troubles.push(error),
      onEnd: (reason) => told.ends.push(reason),
    },
    channel: { ...('headers' in server && { headers: server.headers as never }), ...options },
    connectMs: 5000,
    serverStreamSilenceMs: 0,
    scope: new AsyncResource('contract'),
    internalHeaders: () => undefined,
    counts: new TrafficCounts(),
    maxEventBytes: options.limits?.maxEventBytes ?? 1_000_000,
    signal: new AbortController().signal,
  });
  expect(answer).toMatchObject({ jsonrpc: '2.0', id: 0, result: { capabilities: {} } });
  let hear = (): void => {};
  const listening = new Promise<void>((resolve) => (hear = resolve));
  const isModern = channel.era === 'modern';
  if (!isModern) await channel.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return {
    channel,
    ...told,
    ask: (id, method, params = {}) => ({
      jsonrpc: '2.0',
      id,
      method,
      params: isModern ? { ...params, _meta: envelope } : params,
    }),
    listening: channel.listen === undefined ? Promise.resolve() : listening,
    deaf: (channel.listen?.(hear) ?? Promise.resolve()).then(hear, hear),
  };
}

const echo = (opened: Opened, id: number): JSONRPCRequest =>
  opened.ask(id, 'tools/call', { name: 'echo', arguments: { message: `message ${id}` } });

const answersTo = ({ messages }: Opened, id: number): JSONRPCMessage[] =>
  messages.filter((message) => 'id' in message && message.id === id);

async function answerTo(opened: Opened, id: number): Promise<JSONRPCMessage> {
  await until(() => expect(answersTo(opened, id)).toHaveLength(1));
  return answersTo(opened, id)[0] as JSONRPCMessage;
}

describe.each(Object.entries(all))('a channel to %s', (_name, { transport, era, start }) => {
  it('opens, exchanges messages, and closes without reporting an end', async () => {
    await using server = await start();
    const opened = await open(server);
    expect(opened.channel).toMatchObject({ transport, era });
    await opened.channel.send(opened.ask(1, 'tools/list'));
    expect(await answerTo(opened, 1)).toMatchObject({
      result: { tools: expect.arrayContaining([expect.objectContaining({ name: 'echo' })]) },
    });
    await Promise.all([2, 3, 4].map((id) => opened.channel.send(echo(opened, id))));
    for (const id of [2, 3, 4]) {
      expect(await answerTo(opened, id)).toMatchObject({
        result: { content: [{ type: 'text', text: `message ${id}` }] },
      });
    }
    await opened.channel.close();
    await opened.channel.close();
    await until(() => expect(server.open()).toBe(0));
    expect(opened.ends).toEqual([]);
    expect(opened.troubles).toEqual([]);
  });

  it('reports once that a request leaves, before its answer', async () => {
    await using server = await start();
    const opened = await open(server);
    const seen: string[] = [];
    const sent = opened.channel.send(echo(opened, 1), () => {
      seen.push(`on wire, ${answersTo(opened, 1).length} answers`);
    });
    await sent;
    await answerTo(opened, 1);
    expect(seen).toEqual(['on wire, 0 answers']);
    await opened.channel.close();
  });

  it('delivers the error of a server for an unknown method', async () => {
    await using server = await start();
    const opened = await open(server);
    await opened.channel.send(opened.ask(1, 'no/such-method'));
    expect(await answerTo(opened, 1)).toMatchObject({ error: { code: -32601 } });
    expect(opened.ends).toEqual([]);
    await opened.channel.close();
  });

  it('ends once, with a reason, and then sends nothing', async () => {
    await using server = await start();
    const opened = await open(server);
    await server.end(opened.channel);
    await until(() => expect(opened.ends).toHaveLength(1));
    expect(opened.ends[0]).toMatchObject({ code: 'connection-lost' });
    const before = opened.messages.length;
    await expect(opened.channel.send(echo(opened, 1))).rejects.toMatchObject({
      code: 'connection-lost',
      certainty: 'not-sent',
    });
    await opened.channel.close();
    expect(opened.ends).toHaveLength(1);
    expect(opened.messages).toHaveLength(before);
  });

  it('has an address without secrets', async () => {
    await using server = await start();
    const { target } = server;
    const isUrl = typeof target === 'string';
    const opened = await open({ ...server, target: isUrl ? `${target}?token=hush` : target });
    expect(opened.channel.address).not.toContain('hush');
    expect(opened.channel.address).not.toBe('');
    await opened.channel.close();
  });

  it('sends nothing once it is closed', async () => {
    await using server = await start();
    const opened = await open(server);
    await opened.channel.close();
    const refused = await opened.channel.send(echo(opened, 1)).then(
      () => expect.unreachable('it was sent'),
      (error: unknown) => error as LongwireError,
    );
    expect(['closed', 'connection-lost']).toContain(refused.code);
    expect(refused.certainty).toBe('not-sent');
    expect(opened.ends).toEqual([]);
  });
});

describe.each(Object.entries(http))('a channel by HTTP to %s', (_name, { start }) => {
  it('sends the headers with every request', async () => {
    await using server = await start();
    const headers = { ...server.headers, 'X-Trace': 'abc' };
    const opened = await open(server, { headers });
    await opened.channel.send(echo(opened, 1));
    await answerTo(opened, 1);
    await opened.channel.close();
    expect(server.requests.length).toBeGreaterThan(1);
    for (const request of server.requests) {
      expect(request.headers).toMatchObject({ ...server.headers, 'x-trace': 'abc' });
    }
  });

  it('calls a headers function for every request', async () => {
    await using server = await start();
    let asked = 0;
    const opened = await open(server, {
      headers: ({ attempt }) => {
        expect(attempt).toBe(1);
        return { ...server.headers, 'x-count': String(++asked) };
      },
    });
    await opened.listening;
    await opened.channel.send(echo(opened, 1));
    await answerTo(opened, 1);
    expect(new Set(server.requests.map(({ headers }) => headers['x-count']))).toEqual(
      new Set(server.requests.map((_request, index) => String(index + 1))),
    );
    await opened.channel.close();
  });

  it('calls onChallenge after a challenge, and sends the request again with new headers', async () => {
    await using server = await start();
    const challenges: number[] = [];
    server.insist();
    const opened = await open(server, {
      headers: ({ attempt }) => (attempt === 1 ? {} : server.headers),
      auth: {
        onChallenge: (status) => {
          challenges.push(status);
          return 'retry';
        },
      },
    });
    expect(challenges.length).toBeGreaterThan(0);
    expect(new Set(challenges)).toEqual(new Set([401]));
    await opened.channel.close();
  });

  it('fails with `unauthorized` when onChallenge says so', async () => {
    await using server = await start();
    server.insist();
    let asked = 0;
    const attempt = open(server, {
      headers: { ...server.headers, authorization: 'wrong', api_key: 'wrong' },
      auth: { onChallenge: () => (++asked, 'retry') },
    });
    await expect(attempt).rejects.toMatchObject({ code: 'unauthorized', certainty: 'not-sent' });
    expect(asked).toBe(3);
    expect(server.open()).toBe(0);
  });
});

describe.each(Object.entries(speaking))('a channel that hears %s', (_name, { start }) => {
  it('counts anything that arrives as activity, comments included', async () => {
    await using server = await start();
    const { channel, messages, listening } = await open(server);
    await listening;
    let { lastActivityAt } = channel;
    expect(lastActivityAt).toBeLessThanOrEqual(performance.now());
    for (const text of [':\n\n', ': still there\n\n', 'event: news\ndata: {}\n\n']) {
      server.write(text);
      await until(() => expect(channel.lastActivityAt).toBeGreaterThan(lastActivityAt));
      ({ lastActivityAt } = channel);
    }
    expect(messages.filter((message) => 'id' in message)).toEqual([]);
    await channel.close();
  });

  it('has the latest delay that the server asked for', async () => {
    await using server = await start();
    const { channel, listening, deaf, ends } = await open(server);
    await listening;
    expect(channel.askedDelayMs).toBeUndefined();
    server.write('retry: 1234\n\n');
    await until(() => expect(channel.askedDelayMs).toBe(1234));
    server.write('retry: soon\n\nretry: 0\n\n');
    await until(() => expect(channel.askedDelayMs).toBe(0));
    server.cut();
    await deaf;
    if (channel.listen === undefined) await until(() => expect(ends).toHaveLength(1));
    expect(channel.askedDelayMs).toBe(0);
    await channel.close();
  });
});

describe.each(Object.entries(streams))(
  'a channel that is one stream, to %s',
  (_name, { start }) => {
    it('opens it once', async () => {
      await using server = await start();
      const { channel } = await open(server);
      expect(server.requests.filter(({ method }) => method === 'GET')).toHaveLength(1);
      await channel.close();
    });

    it('has no resumption if events have no ids', async () => {
      await using server = await start();
      const { channel, ends } = await open(server);
      expect(channel.resumption).toBeUndefined();
      server.cut();
      await until(() => expect(ends).toHaveLength(1));
      expect(channel.resumption).toBeUndefined();
      await channel.close();
    });

    it('ends with a typed error at an event over the limit', async () => {
      await using server = await start();
      const opened = await open(server, { limits: { maxEventBytes: 10_000 } });
      server.write(`data: ${'x'.repeat(20_000)}\n\n`);
      await until(() => expect(opened.ends).toHaveLength(1));
      expect(opened.ends[0]).toMatchObject({ code: 'limit-exceeded' });
      await opened.channel.close();
    });
  },
);
