import { McpServer } from '@modelcontextprotocol/server';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import * as z from 'zod';
import {
  serve,
  type CallGate,
  type CallRecord,
  type ServeOptions,
  type Serving,
} from '../../src/index.ts';
import { deferred, open } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';
import { ask, headersOf, listen, onTheWire, request, toolCall, VERSION } from './requests.ts';

/** A server whose tools end in every way. */
function createServer(): McpServer {
  const server = new McpServer({ name: 'ends', version: '1.0.0' });
  const tool = server.registerTool.bind(server);
  tool('echo', { inputSchema: z.object({ message: z.string() }) }, ({ message }) => ({
    content: [{ type: 'text', text: message }],
  }));
  tool('fail', {}, () => ({ content: [], isError: true }));
  const circle: Record<string, unknown> = {};
  circle['circle'] = circle;
  tool('circle', {}, () => ({ content: [], _meta: circle }));
  tool('large', {}, () => ({ content: [{ type: 'text', text: 'x'.repeat(20_000) }] }));
  tool('close', {}, async () => {
    await server.close();
    return new Promise<never>(() => {});
  });
  tool('progress-then-close', {}, async (ctx) => {
    const params = { progressToken: 1, progress: 1 };
    await ctx.mcpReq.notify({ method: 'notifications/progress', params });
    await server.close();
    return new Promise<never>(() => {});
  });
  tool('write', { scopeChallenge: () => ({ scopes: ['write'] }) }, () => ({ content: [] }));
  tool('wait', {}, () => new Promise<never>(() => {}));
  return server;
}

/** A server, and what its audit says. */
async function audited(
  options: Partial<ServeOptions> = {},
): Promise<Serving & { records: CallRecord[]; last: () => Promise<CallRecord> }> {
  const records: CallRecord[] = [];
  const served = await serve({
    create: createServer,
    audit: { methods: 'all', write: (record) => records.push(record) },
    maxBufferedBytes: 10_000,
    ...options,
  });
  open.push(() => served.close());
  const last = async (): Promise<CallRecord> => {
    await expect.poll(() => records.length).toBe(1);
    return records[0]!;
  };
  return { ...served, records, last };
}

const OTHER_VERSION = {
  ...toolCall('echo'),
  params: {
    ...toolCall('echo').params,
    _meta: {
      ...(toolCall('echo').params['_meta'] as object),
      'io.modelcontextprotocol/protocolVersion': '2099-01-01',
    },
  },
};

it.each([
  ['a result', toolCall('echo', { message: 'x' }), {}, 200, { outcome: 'ok' }],
  ['a result with isError', toolCall('fail'), {}, 200, { outcome: 'tool_error' }],
  ['wrong arguments', toolCall('echo', { message: 1 }), {}, 200, { outcome: 'tool_error' }],
  ['an unknown tool', toolCall('none'), {}, 200, { outcome: 'error', code: -32_602 }],
  ['an unknown method', request('none'), {}, 404, { outcome: 'error', code: -32_601 }],
  ['a method without a handler', request('prompts/list'), {}, 404, { outcome: 'error' }],
  [
    'another header than message',
    toolCall('echo'),
    { 'mcp-name': 'fail' },
    400,
    { outcome: 'error', code: -32_020 },
  ],
  [
    'an unknown version',
    OTHER_VERSION,
    { 'mcp-protocol-version': '2099-01-01' },
    400,
    { outcome: 'error', code: -32_022 },
  ],
  [
    'a message without its version',
    { ...request('tools/list'), params: {} },
    {},
    400,
    { outcome: 'error', code: -32_602 },
  ],
  [
    'a subscription to nothing that is known',
    request('subscriptions/listen'),
    {},
    200,
    { outcome: 'error', code: -32_602 },
  ],
  ['a result that is no JSON', toolCall('circle'), {}, 200, { outcome: 'error', code: -32_603 }],
  ['a result that is too long', toolCall('large'), {}, 200, { outcome: 'error', code: -32_603 }],
  ['a server that closes', toolCall('close'), {}, 200, { outcome: 'error', code: -32_603 }],
] as const)('%s is told as it was sent', async (_what, message, headers, status, told) => {
  const { url, last } = await audited();
  const answer = await ask(url, message, headers);
  expect(answer.status).toBe(status);
  const { error } = JSON.parse(answer.text) as { error?: { code: number } };
  const record = await last();
  expect(record).toMatchObject({ ...told, method: message.method, transport: 'stateless' });
  expect(record.code).toBe(error?.code);
});

it('a server that closes in the middle of a stream is told, and answers', async () => {
  const { url, last } = await audited();
  const message = toolCall('progress-then-close');
  await using raw = await RawStream.post(url, message, headersOf(message));
  expect(JSON.parse((await raw.next())!.data)).toMatchObject({ method: 'notifications/progress' });
  expect(JSON.parse((await raw.next())!.data)).toMatchObject({ id: 1, error: { code: -32_603 } });
  expect(await raw.next()).toBeUndefined();
  expect(await last()).toMatchObject({ outcome: 'error', code: -32_603 });
});

it('a client that leaves is told as cancelled, a subscription that the server ends is not', async () => {
  const began = deferred();
  const gate: CallGate = {
    hold: () => {
      began.resolve();
      return undefined;
    },
  };
  const gone = await audited({ gates: [gate] });
  const socket = connect(Number(new URL(gone.url).port), '127.0.0.1');
  socket.write(onTheWire(toolCall('wait')));
  await began.promise;
  socket.destroy();
  expect(await gone.last()).toMatchObject({ outcome: 'cancelled', target: 'wait' });

  const ended = await audited();
  const message = listen();
  await using raw = await RawStream.post(ended.url, message, headersOf(message));
  expect((await raw.next())!.data).toContain('acknowledged');
  const closing = ended.close();
  expect(JSON.parse((await raw.next())!.data)).toMatchObject({ id: 1, result: {} });
  expect(await raw.next()).toBeUndefined();
  await closing;
  expect(ended.records).toMatchObject([{ method: 'subscriptions/listen', outcome: 'ok' }]);
});

it('what a gate refuses is told as such, and runs nothing', async () => {
  const refusal = { status: 429, code: -32_000, message: 'no' };
  const { url, last } = await audited({ gates: [{ admit: () => refusal }] });
  expect((await ask(url, toolCall('echo'))).status).toBe(429);
  expect(await last()).toMatchObject({ outcome: 'refused', status: 429 });
});

it('a tool that needs more scopes is refused as with a session', async () => {
  const { url, last } = await audited();
  const answer = await ask(url, toolCall('write'));
  expect(answer.status).toBe(403);
  expect(answer.headers['www-authenticate']).toContain('scope="write"');
  expect(JSON.parse(answer.text)).toMatchObject({
    id: 1,
    error: { message: 'The request needs the scopes write: authorize again with them' },
  });
  expect(await last()).toMatchObject({ outcome: 'refused', status: 403 });
});

it(`is of ${VERSION} alone: GET and DELETE open nothing`, async () => {
  const { url } = await audited();
  for (const method of ['GET', 'DELETE']) {
    const answer = await fetch(url, {
      method,
      headers: { accept: 'text/event-stream', 'mcp-protocol-version': VERSION },
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    await answer.body?.cancel();
  }
});
