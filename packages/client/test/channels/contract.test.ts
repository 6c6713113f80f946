import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { describe, expect, it, vi } from 'vitest';
import { startHostileSse } from '../../../../test/support/hostile-sse.ts';
import type { RecordedRequest } from '../../../../test/support/http-fixture.ts';
import { startToolEventsServer } from '../../../../test/support/tool-events-servers.ts';
import type { Channel, ChannelOptions, Dialect } from '../../src/channels/channel.ts';
import type { LongwireError } from '../../src/errors.ts';
import { dial } from '../../src/target/dial.ts';
import { parseTarget } from '../../src/target/target.ts';

/** What the contract needs of a server, whatever it speaks. */
interface ContractServer extends AsyncDisposable {
  url: string;
  headers: Record<string, string>;
  requests: RecordedRequest[];
  openStreams(): number;
  cut(): void;
  /** Sends an event of this many bytes to every session. */
  sendHuge(bytes: number): void;
  /** Writes to every stream what need not be an event. */
  write(text: string): void;
}

interface Opened {
  channel: Channel;
  messages: JSONRPCMessage[];
  ends: LongwireError[];
  troubles: LongwireError[];
}

const initialize = {
  jsonrpc: '2.0' as const,
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'contract', version: '0' },
  },
};

const echo = (id: number) => ({
  jsonrpc: '2.0' as const,
  id,
  method: 'tools/call',
  params: { name: 'echo', arguments: { message: `message ${id}` } },
});

async function open(
  server: ContractServer,
  options: Partial<ChannelOptions> = {},
): Promise<Opened> {
  const opened: Omit<Opened, 'channel'> = { messages: [], ends: [], troubles: [] };
  const { channel, answer } = await dial({
    target: parseTarget(server.url),
    transport: undefined,
    introduction: { discover: undefined, initialize },
    resumption: undefined,
    onResumed: () => {},
    handlers: {
      onMessage: (message) => opened.messages.push(message),
      onTrouble: (error) => opened.troubles.push(error),
      onEnd: (reason) => opened.ends.push(reason),
    },
    channel: { headers: server.headers, ...options },
    connectMs: 5000,
    maxEventBytes: options.limits?.maxEventBytes ?? 1_000_000,
    signal: new AbortController().signal,
  });
  expect(answer).toMatchObject({ jsonrpc: '2.0', id: 0, result: { capabilities: {} } });
  await channel.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return { channel, ...opened };
}

const answerTo = (opened: Opened, id: number) =>
  vi.waitFor(() => {
    const found = opened.messages.find((message) => 'id' in message && message.id === id);
    if (found === undefined) throw new Error(`no answer to ${id} yet`);
    return found;
  });

const servers: Record<string, { dialect: Dialect; start: () => Promise<ContractServer> }> = {
  'HTTP+SSE': {
    dialect: 'sse',
    start: async () => {
      const server = await startHostileSse();
      return {
        ...server,
        headers: { authorization: 'Bearer test' },
        sendHuge: (bytes) => server.pushEvent('message', 'x'.repeat(bytes)),
      };
    },
  },
  ...Object.fromEntries(
    (['answers-in-body', 'answers-on-stream', 'fixed-endpoint'] as const).map((kind) => [
      `tool-events, ${kind}`,
      {
        dialect: 'tool-events' as const,
        start: async () => {
          const server = await startToolEventsServer({ kind });
          return {
            ...server,
            headers: { api_key: server.apiKey },
            sendHuge: (bytes: number) => server.push('news', 'x'.repeat(bytes)),
          };
        },
      },
    ]),
  ),
};

describe.each(Object.entries(servers))('a channel to %s', (_name, { dialect, start }) => {
  it('opens once, moves messages, and closes without an end', async () => {
    await using server = await start();
    const opened = await open(server);
    expect(opened.channel.dialect).toBe(dialect);
    expect(server.requests.filter(({ method }) => method === 'GET')).toHaveLength(1);

    await opened.channel.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect(await answerTo(opened, 1)).toMatchObject({
      result: { tools: expect.arrayContaining([expect.objectContaining({ name: 'echo' })]) },
    });
    await Promise.all([2, 3, 4].map((id) => opened.channel.send(echo(id))));
    for (const id of [2, 3, 4]) {
      expect(await answerTo(opened, id)).toMatchObject({
        result: { content: [{ type: 'text', text: `message ${id}` }] },
      });
    }
    await opened.channel.close();
    await opened.channel.close();
    await vi.waitFor(() => expect(server.openStreams()).toBe(0));
    expect(opened.ends).toEqual([]);
    expect(opened.troubles).toEqual([]);
  });

  it('sends the headers on the GET and on every POST', async () => {
    await using server = await start();
    const opened = await open(server, { headers: { ...server.headers, 'X-Trace': 'abc' } });
    await opened.channel.send(echo(1));
    await answerTo(opened, 1);
    expect(server.requests.length).toBeGreaterThan(2);
    for (const { headers } of server.requests) {
      expect(headers).toMatchObject({ ...server.headers, 'x-trace': 'abc' });
    }
    await opened.channel.close();
  });

  it('asks a headers function for every request', async () => {
    await using server = await start();
    let asked = 0;
    const opened = await open(server, {
      headers: ({ attempt }) => {
        expect(attempt).toBe(1);
        return { ...server.headers, 'x-count': String(++asked) };
      },
    });
    await opened.channel.send(echo(1));
    await answerTo(opened, 1);
    expect(server.requests.map(({ headers }) => headers['x-count'])).toEqual(
      server.requests.map((_request, index) => String(index + 1)),
    );
    await opened.channel.close();
  });

  it('ends once, with a reason, when the stream drops', async () => {
    await using server = await start();
    const opened = await open(server);
    server.cut();
    await vi.waitFor(() => expect(opened.ends).toHaveLength(1));
    expect(opened.ends[0]).toMatchObject({ code: 'connection-lost' });
    await expect(opened.channel.send(echo(1))).rejects.toMatchObject({
      code: 'connection-lost',
      certainty: 'not-sent',
    });
    await opened.channel.close();
    expect(opened.ends).toHaveLength(1);
    expect(opened.messages).toEqual([]);
  });

  it('has heard of its server whatever arrives, be it only a comment', async () => {
    await using server = await start();
    const { channel, messages } = await open(server);
    let { heardAt } = channel;
    expect(heardAt).toBeLessThanOrEqual(performance.now());
    for (const text of [':\n\n', ': still there\n\n', 'event: news\ndata: {}\n\n']) {
      server.write(text);
      await vi.waitFor(() => expect(channel.heardAt).toBeGreaterThan(heardAt));
      ({ heardAt } = channel);
    }
    expect(messages.filter((message) => 'id' in message)).toEqual([]);
    await channel.close();
  });

  it('tells how long the server asks to wait, the last time it does', async () => {
    await using server = await start();
    const { channel } = await open(server);
    expect(channel.askedDelayMs).toBeUndefined();
    server.write('retry: 1234\n\n');
    await vi.waitFor(() => expect(channel.askedDelayMs).toBe(1234));
    server.write('retry: soon\n\nretry: 0\n\n');
    await vi.waitFor(() => expect(channel.askedDelayMs).toBe(0));
    server.cut();
    expect(channel.askedDelayMs).toBe(0);
    await channel.close();
  });

  it('answers a ping', async () => {
    await using server = await start();
    const opened = await open(server);
    await opened.channel.send({ jsonrpc: '2.0', id: 1, method: 'ping' });
    expect(await answerTo(opened, 1)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    await opened.channel.close();
  });

  it('leaves nothing to go on with where events have no ids', async () => {
    await using server = await start();
    const { channel, ends } = await open(server);
    expect(channel.resumption).toBeUndefined();
    server.cut();
    await vi.waitFor(() => expect(ends).toHaveLength(1));
    expect(channel.resumption).toBeUndefined();
    await channel.close();
  });

  it('ends with a typed error at an event over the limit', async () => {
    await using server = await start();
    const opened = await open(server, { limits: { maxEventBytes: 10_000 } });
    server.sendHuge(20_000);
    await vi.waitFor(() => expect(opened.ends).toHaveLength(1));
    expect(opened.ends[0]).toMatchObject({ code: 'limit-exceeded' });
    await opened.channel.close();
  });

  it('puts a challenge to onChallenge, and repeats with new headers', async () => {
    await using server = await start();
    const challenges: number[] = [];
    if ('mischief' in server) {
      (server.mischief as { requiredHeaders?: object }).requiredHeaders = server.headers;
    }
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

  it('fails with `unauthorized` when the challenge is not met', async () => {
    await using server = await start();
    if ('mischief' in server) {
      (server.mischief as { requiredHeaders?: object }).requiredHeaders = server.headers;
    }
    let asked = 0;
    const attempt = open(server, {
      headers: { ...server.headers, authorization: 'wrong', api_key: 'wrong' },
      auth: { onChallenge: () => (++asked, 'retry') },
    });
    await expect(attempt).rejects.toMatchObject({ code: 'unauthorized', certainty: 'not-sent' });
    expect(asked).toBe(3);
    expect(server.openStreams()).toBe(0);
  });
});
