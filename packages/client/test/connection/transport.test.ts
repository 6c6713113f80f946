import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { Client as Client2 } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startHostileSse, type HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import { ConnectionLostError, createTransport, type LongwireTransport } from '../../src/index.ts';
import { firstCall } from '../support/first-call.ts';
import { until } from '../../../../test/support/until.ts';

/** What the tests use of an SDK `Client`, whatever its version. */
interface AnyClient {
  connect(transport: LongwireTransport): Promise<void>;
  callTool(
    name: string,
    args: Record<string, unknown>,
    options?: { signal?: AbortSignal; onprogress?: (progress: { progress: number }) => void },
  ): Promise<unknown>;
  onclose(listener: () => void): void;
}

const info = { name: 'program', version: '1' };

const clients: Record<string, () => AnyClient> = {
  'SDK 1.x': () => {
    const client = new Client1(info);
    return {
      connect: (transport) => client.connect(transport as never),
      callTool: (name, args, options) =>
        client.callTool({ name, arguments: args }, undefined, options),
      onclose: (listener) => (client.onclose = listener),
    };
  },
  ...Object.fromEntries(
    (['legacy', 'auto'] as const).map((mode) => [
      `SDK 2.x, negotiation ${mode}`,
      (): AnyClient => {
        const client = new Client2(info, { versionNegotiation: { mode } });
        return {
          connect: (transport) => client.connect(transport),
          callTool: (name, args, options) => client.callTool({ name, arguments: args }, options),
          onclose: (listener) => (client.onclose = listener),
        };
      },
    ]),
  ),
};

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe.each(Object.entries(clients))('the transport below %s', (_name, createClient) => {
  async function setUp(): Promise<{
    server: HostileSseServer;
    client: AnyClient;
    transport: LongwireTransport;
  }> {
    const server = await startHostileSse();
    closers.push(() => server.close());
    const transport = createTransport(server.url);
    closers.push(() => transport.close());
    const client = createClient();
    await client.connect(transport);
    return { server, client, transport };
  }

  it('carries calls, each with its own answer', async () => {
    const { client, server } = await setUp();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => client.callTool('echo', { message: `m${i}` })),
    );
    expect(results).toMatchObject(
      Array.from({ length: 20 }, (_, i) => ({ content: [{ text: `m${i}` }] })),
    );
    expect(server.messagesOf('server/discover')).toEqual([]);
    expect(server.messagesOf('initialize')).toHaveLength(1);
  });

  it('carries progress under the program’s own token, also in one packet with the answer', async () => {
    const { client, server } = await setUp();
    server.mischief.hangOnCall = true;
    const seen: number[] = [];
    const call = client.callTool('slow', {}, { onprogress: (p) => seen.push(p.progress) });
    const request = await firstCall(server);
    const { progressToken } = request;
    const messages = [
      { method: 'notifications/progress', params: { progressToken, progress: 1 } },
      { method: 'notifications/progress', params: { progressToken, progress: 2 } },
      { id: request.id, result: { content: [] } },
    ];
    const data = messages.map((message) => JSON.stringify({ jsonrpc: '2.0', ...message }));
    server.pushEvent('message', data.join('\n\nevent: message\ndata: '));
    await call;
    expect(seen).toEqual([1, 2]);
  });

  it('cancels on the server what the program aborts', async () => {
    const { client, server } = await setUp();
    const controller = new AbortController();
    const call = client.callTool('hang', {}, { signal: controller.signal }).catch(() => 'aborted');
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    controller.abort('enough');
    expect(await call).toBe('aborted');
    await until(() =>
      expect(server.messagesOf('notifications/cancelled')[0]?.params?.['requestId']).toBe(
        server.messagesOf('tools/call')[0]?.id,
      ),
    );
  });

  it('gives the program our own error when the connection drops, and continues', async () => {
    const { client, server, transport } = await setUp();
    const closed = vi.fn();
    client.onclose(closed);
    const call = client.callTool('hang', {}).catch((error: unknown) => error);
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    server.cut();
    const error = await call;
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect(error).toMatchObject({ certainty: 'outcome-unknown' });
    expect(await client.callTool('echo', { message: 'again' })).toMatchObject({
      content: [{ text: 'again' }],
    });
    expect(server.openedSessions()).toBe(2);
    expect(closed).not.toHaveBeenCalled();
    await transport.close();
    await transport.close();
    expect(closed).toHaveBeenCalledOnce();
  });
});
