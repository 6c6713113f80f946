import {
  Client as Client2,
  SSEClientTransport as SseTransport2,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as SseTransport1 } from '@modelcontextprotocol/sdk/client/sse.js';
import {
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serve, type Serving } from '../src/index.ts';
import { createSample, type Sample } from './sample-server.ts';

interface Notified {
  progress: unknown[];
  logged: unknown[];
  updated: string[];
  /** Called for every log message. */
  onLog: () => void;
}

/** What both generations of the SDK's client can do, in one shape. */
interface Calls {
  serverName: string | undefined;
  listTools(): Promise<string[]>;
  callTool(name: string, args: object, signal?: AbortSignal): Promise<Record<string, unknown>>;
  readResource(uri: string): Promise<unknown>;
  subscribe(uri: string): Promise<unknown>;
  getPrompt(name: string, args: Record<string, string>): Promise<unknown>;
  close(): Promise<void>;
}

type Session = Calls & Notified;

const IDENTITY = { name: 'test', version: '0' };

async function withSdk1(url: string): Promise<Session> {
  const notified: Notified = { progress: [], logged: [], updated: [], onLog: () => {} };
  const client = new Client1(IDENTITY);
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    notified.logged.push(params.data);
    notified.onLog();
  });
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    notified.updated.push(params.uri);
  });
  await client.connect(new SseTransport1(new URL(url)));
  const calls: Calls = {
    serverName: client.getServerVersion()?.name,
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    callTool: (name, args, signal) =>
      client.callTool({ name, arguments: { ...args } }, undefined, {
        onprogress: (progress) => notified.progress.push(progress),
        ...(signal && { signal }),
      }),
    readResource: (uri) => client.readResource({ uri }),
    subscribe: (uri) => client.subscribeResource({ uri }),
    getPrompt: (name, args) => client.getPrompt({ name, arguments: args }),
    close: () => client.close(),
  };
  return Object.assign(notified, calls);
}

async function withSdk2(url: string): Promise<Session> {
  const notified: Notified = { progress: [], logged: [], updated: [], onLog: () => {} };
  const client = new Client2(IDENTITY);
  client.setNotificationHandler('notifications/message', ({ params }) => {
    notified.logged.push(params.data);
    notified.onLog();
  });
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    notified.updated.push(params.uri);
  });
  await client.connect(new SseTransport2(new URL(url)));
  const calls: Calls = {
    serverName: client.getServerVersion()?.name,
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    callTool: (name, args, signal) =>
      client.callTool(
        { name, arguments: { ...args } },
        {
          onprogress: (progress) => notified.progress.push(progress),
          ...(signal && { signal }),
        },
      ),
    readResource: (uri) => client.readResource({ uri }),
    subscribe: (uri) => client.subscribeResource({ uri }),
    getPrompt: (name, args) => client.getPrompt({ name, arguments: args }),
    close: () => client.close(),
  };
  return Object.assign(notified, calls);
}

describe.each([
  { generation: 'SDK 1.x', connect: withSdk1 },
  { generation: 'SDK 2.x', connect: withSdk2 },
])('the client of $generation', ({ connect }) => {
  describe.each([{ toolEvents: false }, { toolEvents: true }])(
    'toolEvents: $toolEvents',
    (options) => {
      let serving: Serving;
      let sample: Sample;
      let session: Session;

      beforeEach(async () => {
        serving = await serve({
          create: () => (sample = createSample()).server,
          resumeMs: 100,
          ...options,
        });
        session = await connect(serving.sseUrl);
      });

      afterEach(async () => {
        await session.close();
        await serving.close();
      });

      it('initializes, lists tools and calls one', async () => {
        expect(session.serverName).toBe('sample');
        expect(await session.listTools()).toContain('echo');
        const result = await session.callTool('echo', { message: 'grüße 🌍\nzwei' });
        expect(result.content).toEqual([{ type: 'text', text: 'grüße 🌍\nzwei' }]);
      });

      it('gets progress in order, then log messages, then the result', async () => {
        session.onLog = () => sample.release();
        const result = await session.callTool('count', { to: 3 });
        expect(result.structuredContent).toEqual({ to: 3 });
        expect(session.progress).toEqual([
          { progress: 1, total: 3 },
          { progress: 2, total: 3 },
          { progress: 3, total: 3 },
        ]);
        expect(session.logged).toEqual(['counted to 3']);
      });

      it('reads and subscribes to resources, and gets a prompt', async () => {
        expect(await session.readResource('sample://about')).toMatchObject({
          contents: [{ uri: 'sample://about', text: 'a sample' }],
        });
        await session.subscribe('sample://about');
        expect(session.updated).toEqual(['sample://about']);
        expect(await session.getPrompt('greet', { name: 'Ada' })).toMatchObject({
          messages: [{ content: { text: 'Hello, Ada' } }],
        });
      });

      it('matches 50 concurrent calls with their results', async () => {
        const messages = Array.from({ length: 50 }, (_, n) => `message ${n}`);
        const results = await Promise.all(
          messages.map((message) => session.callTool('echo', { message })),
        );
        expect(results.map(({ content }) => content)).toEqual(
          messages.map((text) => [{ type: 'text', text }]),
        );
      });

      it('cancels a call', async () => {
        const cancel = new AbortController();
        const call = session.callTool('wait', {}, cancel.signal);
        const signal = await sample.waiting;
        cancel.abort();
        await expect(call).rejects.toThrow();
        if (!signal.aborted) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        }
      });

      it('closes the server and aborts what runs when the client goes', async () => {
        const call = session.callTool('wait', {}).catch((error: unknown) => error);
        const signal = await sample.waiting;
        await session.close();
        await sample.closed;
        expect(signal.aborted).toBe(true);
        expect(sample.server.isConnected()).toBe(false);
        expect(await call).toBeInstanceOf(Error);
      });

      it('gets a result of 20 MiB', async () => {
        const times = 4 * 1024 * 1024;
        const { content } = await session.callTool('repeat', { text: 'fünf', times });
        const [{ text }] = content as [{ text: string }];
        expect(text.length).toBe(4 * times);
      });
    },
  );
});
