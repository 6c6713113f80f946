import { readFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startHostileSse } from '../../../../test/support/hostile-sse.ts';
import type { RecordedRequest } from '../../../../test/support/http-fixture.ts';
import { startModernServer } from '../../../../test/support/modern-server.ts';
import {
  startStreamable,
  type StreamableMischief,
} from '../../../../test/support/streamable-fixture.ts';
import { startToolEventsServer } from '../../../../test/support/tool-events-servers.ts';
import { until } from '../../../../test/support/until.ts';
import { atTheEndOfEachTest, quick } from '../support/recovery.ts';
import { stdioServer } from '../support/open-stdio.ts';
import type { LongwireClient } from '../../src/index.ts';

const { client: makeClient, closeLater, gateTo } = atTheEndOfEachTest();

/** What the servers of this process wrote into their answers' bodies; and into those of 2xx. */
let written = '';
let accepted = '';
beforeEach(() => {
  written = accepted = '';
  const { write, end } = ServerResponse.prototype;
  const note = ({ statusCode }: ServerResponse, chunk: unknown): void => {
    const isText = typeof chunk === 'string' || chunk instanceof Uint8Array;
    const text = isText ? Buffer.from(chunk as string).toString('utf8') : '';
    written += text;
    // What is refused with, is no message, though it may look like one.
    if (statusCode < 300) accepted += text;
  };
  vi.spyOn(ServerResponse.prototype, 'write').mockImplementation(function (
    this: ServerResponse,
    ...args: unknown[]
  ) {
    note(this, args[0]);
    return write.apply(this, args as never);
  } as never);
  vi.spyOn(ServerResponse.prototype, 'end').mockImplementation(function (
    this: ServerResponse,
    ...args: unknown[]
  ) {
    note(this, args[0]);
    return end.apply(this, args as never);
  } as never);
});
afterEach(() => vi.restoreAllMocks());

const bytesOf = (text: string): number => Buffer.byteLength(text);
const messagesIn = (text: string): number => text.split('"jsonrpc":"2.0"').length - 1;

/** What HTTP requests brought. */
function broughtBy(requests: RecordedRequest[]): { messages: number; bytes: number } {
  const bodies = requests.map(({ body }) => body).filter((body) => body !== '');
  return { messages: bodies.length, bytes: bodies.reduce((sum, body) => sum + bytesOf(body), 0) };
}

/** Everything that was said is counted, no less and no more. */
async function expectAllCounted(
  client: LongwireClient,
  server: { requests: RecordedRequest[] },
): Promise<void> {
  await until(() => {
    const sent = broughtBy(server.requests);
    expect(client.stats()).toMatchObject({
      messages: { sent: sent.messages, received: messagesIn(accepted) },
      bytes: { sent: sent.bytes, received: bytesOf(written) },
    });
    expect(sent.messages).toBeGreaterThan(3);
  });
}

async function callAll(client: LongwireClient): Promise<void> {
  await client.listTools();
  await Promise.all(['a', 'ü', '€'].map((message) => client.callTool('echo', { message })));
  await client.callTool('slow', { ms: 20 });
}

describe('messages and bytes are counted', () => {
  it.each<[string, StreamableMischief]>([
    ['documents', { answers: 'json' }],
    ['streams', { answers: 'stream', eventIds: true }],
    ['documents of the modern era', { answers: 'json', era: 'modern' }],
    ['streams of the modern era', { answers: 'stream', era: 'modern' }],
  ])('over Streamable HTTP, answered by %s', async (_, mischief) => {
    const server = closeLater(await startStreamable(mischief));
    const client = makeClient(server.url);
    await callAll(client);
    await expectAllCounted(client, server);
    const method = 'notifications/message';
    client.on('notification', () => {});
    await until(() => expect(server.openStreams()).toBe(1));
    server.push({ jsonrpc: '2.0', method, params: { level: 'info', data: 'ü' } });
    server.write(': a sign of life\n\n');
    await expectAllCounted(client, server);
  });

  it('over HTTP+SSE, with what POSTs are answered', async () => {
    const server = closeLater(await startHostileSse());
    const client = makeClient(server.url);
    await callAll(client);
    server.push({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info' } });
    server.write(': a sign of life\n\n');
    await expectAllCounted(client, server);
  });

  it('across reconnects', async () => {
    const server = closeLater(await startHostileSse());
    const gate = await gateTo(server);
    const client = makeClient(gate.url);
    await callAll(client);
    gate.shut();
    await gate.open();
    await until(() => expect(client.stats().reconnects).toBe(1));
    await callAll(client);
    await expectAllCounted(client, server);
  });

  it('once for every time that a message goes out', async () => {
    const server = closeLater(await startStreamable({ answers: 'json' }));
    const headers = { 'retry-after': '0' };
    const fault = { method: 'tools/call', status: 503, times: 1, body: 'later', headers };
    server.mischief.postFaults = [fault];
    const client = makeClient(server.url);
    await client.callTool('echo', { message: 'x' });
    expect(server.requests.filter(({ body }) => body.includes('tools/call'))).toHaveLength(2);
    await expectAllCounted(client, server);
  });

  it('of the tool-events transport, and not what is answered on this side', async () => {
    const server = closeLater(await startToolEventsServer({ kind: 'answers-in-body' }));
    const client = makeClient(server.url, { ...quick, headers: { api_key: server.apiKey } });
    await client.connect();
    const [tool] = await client.listTools();
    const before = client.stats();
    await client.callTool(tool!.name, {});
    const { messages, bytes } = client.stats();
    expect(messages).toEqual({
      sent: before.messages.sent + 1,
      received: before.messages.received + 1,
    });
    const posted = server.requests.filter(({ method }) => method === 'POST').at(-1);
    expect(bytes.sent - before.bytes.sent).toBe(bytesOf(posted!.body));
    await client.listTools();
    expect(client.stats().messages).toEqual(messages);
  });

  it('of the official server of the modern era', async () => {
    const server = closeLater(await startModernServer());
    const client = makeClient(server.url);
    await client.callTool('steps');
    await until(() => {
      const { messages, bytes } = client.stats();
      // The handshake, and a call that tells its progress three times.
      expect(messages).toEqual({ sent: 2, received: 5 });
      expect(bytes.received).toBe(bytesOf(written));
    });
  });

  it('over the pipes of a process', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'longwire-traffic-'));
    const recorder = `
      const { spawn } = require('node:child_process');
      const { appendFileSync } = require('node:fs');
      const [dir, server] = process.argv.slice(1);
      const child = spawn(process.execPath, [server], { stdio: ['pipe', 'pipe', 'inherit'] });
      const pass = (from, to, name) => from.on('data', (chunk) => {
        appendFileSync(dir + '/' + name, chunk);
        to.write(chunk);
      });
      pass(process.stdin, child.stdin, 'in');
      pass(child.stdout, process.stdout, 'out');
      process.stdin.on('end', () => child.stdin.end());`;
    try {
      const [server] = stdioServer('tools').args;
      const { execPath: command } = process;
      const client = makeClient({ command, args: ['-e', recorder, dir, server!] } as never);
      await client.listTools();
      const calls = ['a', 'ü', '€'].map((message) => client.callTool('echo', { message }));
      await Promise.all(calls);
      const [sent, received] = await Promise.all(
        ['in', 'out'].map((name) => readFile(join(dir, name), 'utf8')),
      );
      expect(client.stats()).toMatchObject({
        messages: { sent: messagesIn(sent!), received: messagesIn(received!) },
        bytes: { sent: bytesOf(sent!), received: bytesOf(received!) },
      });
      expect(messagesIn(sent!)).toBe(6);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('of a server in this process, which has no bytes', async () => {
    const passed = { in: 0, out: 0 };
    const server = () => {
      const mcp = new McpServer({ name: 'embedded', version: '1.0.0' });
      mcp.registerTool('tell', {}, () => ({ content: [{ type: 'text', text: 'told' }] }));
      return {
        connect: async (transport: Transport) => {
          const send = transport.send.bind(transport);
          transport.send = (message: JSONRPCMessage, options) => {
            passed.out++;
            return send(message, options);
          };
          await mcp.connect(transport as never);
          const { onmessage } = transport;
          transport.onmessage = (message, extra) => {
            passed.in++;
            onmessage?.(message, extra);
          };
        },
        close: () => mcp.close(),
      };
    };
    const client = makeClient({ server } as never);
    await client.callTool('tell');
    const { messages, bytes, lastActivityAt } = client.stats();
    expect(messages).toEqual({ sent: passed.in, received: passed.out });
    expect(passed).toEqual({ in: 3, out: 2 });
    expect(bytes).toEqual({ sent: 0, received: 0 });
    expect(lastActivityAt).toBeInstanceOf(Date);
  });
});
