import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { expectNothingLeftOpen } from '../../../../../test/support/open-handles.ts';
import { InMemoryChannel, type MountableServer } from '../../../src/channels/in-memory/channel.ts';
import { TrafficCounts } from '../../../src/http/traffic-counts.ts';
import { LongwireError } from '../../../src/errors.ts';
import { failureOf } from '../../support/failure-of.ts';
import { until } from '../../../../../test/support/until.ts';

expectNothingLeftOpen();

const initialize = {
  jsonrpc: '2.0' as const,
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test', version: '0' },
  },
};

function makeServer(): McpServer {
  const server = new McpServer({ name: 'embedded', version: '1.0.0' });
  server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  return server;
}

/** A server that keeps the transport that it was given, and does nothing with it. */
function makeIdle(): MountableServer & { transport: Transport | undefined; closes: number } {
  return {
    transport: undefined,
    closes: 0,
    connect(transport) {
      this.transport = transport;
      return transport.start();
    },
    async close() {
      this.closes++;
    },
  };
}

async function open(
  server: () => MountableServer | Promise<MountableServer>,
  onMessage?: (message: JSONRPCMessage) => void,
) {
  const messages: JSONRPCMessage[] = [];
  const ends: LongwireError[] = [];
  const channel = await InMemoryChannel.open(
    { server },
    {
      handlers: {
        onMessage: onMessage ?? ((message) => messages.push(message)),
        onError: (error) => expect.unreachable(error.message),
        onEnd: (reason) => ends.push(reason),
      },
      counts: new TrafficCounts(),
    },
  );
  return { channel, messages, ends };
}

describe('a server of the SDK in this process', () => {
  it('answers, and is closed with the channel', async () => {
    const server = makeServer();
    const onclose = vi.fn();
    server.server.onclose = onclose;
    const { channel, messages, ends } = await open(async () => server);
    expect(channel).toMatchObject({ transport: 'in-memory', era: 'legacy' });
    expect(channel.askedDelayMs).toBeUndefined();
    expect(channel.resumption).toBeUndefined();
    expect(channel.lastActivityAt).toBeLessThanOrEqual(performance.now());

    const onWire = vi.fn();
    await channel.send(initialize, onWire);
    expect(onWire).toHaveBeenCalledOnce();
    await until(() => expect(messages).toMatchObject([{ id: 0, result: {} }]));
    await channel.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const params = { name: 'echo', arguments: { text: 'hi' } };
    await channel.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    await until(() => expect(messages).toHaveLength(2));
    expect(messages[1]).toMatchObject({
      id: 1,
      result: { content: [{ type: 'text', text: 'hi' }] },
    });

    expect(onclose).not.toHaveBeenCalled();
    await Promise.all([channel.close(), channel.close()]);
    expect(onclose).toHaveBeenCalledOnce();
    expect(server.isConnected()).toBe(false);
    expect(ends).toEqual([]);
  });

  it('ends the channel when it closes its side', async () => {
    const server = makeServer();
    const { channel, ends } = await open(() => server);
    await server.close();
    expect(ends).toMatchObject([{ code: 'connection-lost', certainty: 'outcome-unknown' }]);
    const onWire = vi.fn();
    expect(await failureOf(channel.send(initialize, onWire))).toMatchObject({
      code: 'connection-lost',
      certainty: 'not-sent',
    });
    expect(onWire).not.toHaveBeenCalled();
    await channel.close();
    expect(ends).toHaveLength(1);
  });

  it('is made for every channel', async () => {
    const made: McpServer[] = [];
    const make = () => {
      made.push(makeServer());
      return made.at(-1) as McpServer;
    };
    const [first, second] = [await open(make), await open(make)];
    expect(new Set(made).size).toBe(2);
    await first.channel.close();
    expect(made.map((server) => server.isConnected())).toEqual([false, true]);
    await second.channel.close();
  });
});

describe('a server that could not be made', () => {
  it.each<[string, () => MountableServer | Promise<MountableServer>]>([
    [
      'its factory throws',
      () => {
        throw new Error('no database');
      },
    ],
    ['its factory rejects', () => Promise.reject(new Error('no database'))],
    [
      'it does not connect',
      () => ({ ...makeIdle(), connect: () => Promise.reject(new Error('no database')) }),
    ],
  ])('is a failure to connect: %s', async (_name, server) => {
    const error = await failureOf(open(server));
    expect(error).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    expect(error.summary).toContain('no database');
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('is closed if it was made, but did not connect', async () => {
    const server = makeIdle();
    server.connect = () => Promise.reject(new Error('no'));
    await failureOf(open(() => server));
    expect(server.closes).toBe(1);
  });
});

it('delivers nothing after close(), and reports no end', async () => {
  const server = makeIdle();
  const { channel, messages, ends } = await open(() => server);
  const ping = { jsonrpc: '2.0' as const, method: 'ping' };
  await server.transport?.send(ping);
  expect(messages).toEqual([ping]);
  await channel.close();
  await server.transport?.send(ping).catch(() => {});
  await server.transport?.close();
  expect(messages).toEqual([ping]);
  expect(ends).toEqual([]);
  expect(server.closes).toBe(1);
});

it('delivers what the server sent while it connected', async () => {
  const hello = { jsonrpc: '2.0' as const, method: 'notifications/hello' };
  const { channel, messages } = await open(() => ({
    connect: async (transport) => {
      await transport.start();
      await transport.send(hello);
    },
    close: () => Promise.resolve(),
  }));
  expect(messages).toEqual([hello]);
  await channel.close();
});

it('ends, and closes the server, when its handlers throw', async () => {
  const reason = new LongwireError('too much', {
    code: 'limit-exceeded',
    certainty: 'outcome-unknown',
  });
  const server = makeIdle();
  const { channel, ends } = await open(
    () => server,
    () => {
      throw reason;
    },
  );
  await server.transport?.send({ jsonrpc: '2.0', method: 'ping' });
  expect(ends).toEqual([reason]);
  await channel.close();
  expect(server.closes).toBe(1);
});

it('does not know the outcome of a message if the server throws', async () => {
  const server = makeIdle();
  const { channel } = await open(() => server);
  (server.transport as Transport).onmessage = () => {
    throw new Error('cannot take it');
  };
  expect(await failureOf(channel.send(initialize))).toMatchObject({
    certainty: 'outcome-unknown',
    message: expect.stringContaining('cannot take it'),
  });
  await channel.close();
});

it('closes even if closing the server fails', async () => {
  const server = makeIdle();
  server.close = () => Promise.reject(new Error('stuck'));
  const { channel, ends } = await open(() => server);
  await channel.close();
  expect(ends).toEqual([]);
});
