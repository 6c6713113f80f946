import { fileURLToPath } from 'node:url';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { expect } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { StdioChannel, type StdioChannelOptions } from '../../src/channels/stdio/channel.ts';
import { TrafficCounts } from '../../src/http/traffic-counts.ts';
import type { LongwireError } from '../../src/errors.ts';

/** A stdio channel, and what it told so far. */
export interface OpenedStdio extends AsyncDisposable {
  channel: StdioChannel;
  messages: JSONRPCMessage[];
  troubles: { error: LongwireError; answerTo: RequestId | undefined }[];
  ends: LongwireError[];
  /** Sends a request and gives the `result` of its answer. */
  ask(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Sends a request, and waits for nothing. */
  tell(method: string, params?: Record<string, unknown>): Promise<void>;
  /** Waits for the end, and gives the reason. */
  end(): Promise<LongwireError>;
}

/** The arguments that start a server of `test/support/stdio-servers`. */
export function stdioServer(name: string): { command: string; args: string[] } {
  const url = new URL(`../../../../test/support/stdio-servers/${name}.mjs`, import.meta.url);
  return { command: process.execPath, args: [fileURLToPath(url)] };
}

/** Opens a channel to a server of `test/support/stdio-servers`, or to any command. */
export async function openStdio(
  server: string | Pick<StdioChannelOptions, 'command' | 'args'>,
  options: Partial<StdioChannelOptions> = {},
): Promise<OpenedStdio> {
  const messages: JSONRPCMessage[] = [];
  const troubles: OpenedStdio['troubles'] = [];
  const ends: LongwireError[] = [];
  const channel = await StdioChannel.open({
    ...(typeof server === 'string' ? stdioServer(server) : server),
    maxEventBytes: 64_000_000,
    counts: new TrafficCounts(),
    ...options,
    handlers: {
      onMessage: (message) => messages.push(message),
      onError: (error, answerTo) => troubles.push({ error, answerTo }),
      onEnd: (reason) => ends.push(reason),
      ...options.handlers,
    },
  });
  let lastId = 0;
  const request = (method: string, params = {}) => ({
    jsonrpc: '2.0' as const,
    id: ++lastId,
    method,
    params,
  });
  return {
    channel,
    messages,
    troubles,
    ends,
    ask: async (method, params) => {
      const { id, ...rest } = request(method, params);
      await channel.send({ id, ...rest });
      const answer = (): JSONRPCMessage | undefined =>
        messages.find((message) => 'id' in message && message.id === id && !('method' in message));
      await until(() => expect(answer()).toBeDefined());
      expect(answer()).toHaveProperty('result');
      return (answer() as unknown as { result: Record<string, unknown> }).result;
    },
    tell: (method, params) => channel.send(request(method, params)),
    end: async () => {
      await until(() => expect(ends).toHaveLength(1));
      return ends[0] as LongwireError;
    },
    [Symbol.asyncDispose]: () => channel.close(),
  };
}
