import { connect, createClient, LongwireError, type LongwireClient } from '@longwire/client';
import { createGroup } from '@longwire/client/group';
import { cache } from '@longwire/client/middleware';
import { apiKeys, hashApiKey, serve, type Serving } from '@longwire/server';
import { createFaultyProxy } from '@longwire/testing';
import { inputRequired, McpServer } from '@modelcontextprotocol/server';
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { startEverything } from '../../../test/support/peers.ts';
import { until } from '../../../test/support/until.ts';
import {
  createRecorder,
  Picture,
  type RecordableRequest,
  type RecordedLine,
  type RecorderOptions,
} from '../src/index.ts';

expectNothingLeftOpen();

const readOnly = { annotations: { readOnlyHint: true } };
const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });

/** A small server: `echo`, `fail`, and `count`, which tells progress and waits to be released. */
function createServer(released: Promise<void>): McpServer {
  const server = new McpServer({ name: 'small', version: '3' }, { capabilities: { logging: {} } });
  const inputSchema = z.object({ message: z.string() });
  server.registerTool('echo', { inputSchema, ...readOnly }, ({ message }) => text(message));
  server.registerTool('fail', {}, () => ({ ...text('never works'), isError: true }));
  server.registerTool('ask', { inputSchema, ...readOnly }, ({ message }, { mcpReq }) => {
    if (mcpReq.inputResponses !== undefined) return text(`asked, ${message}`);
    const requestedSchema = z.object({ name: z.string() });
    return inputRequired({
      inputRequests: { name: inputRequired.elicit({ message, requestedSchema }) },
    });
  });
  server.registerTool('count', {}, async (context) => {
    const { _meta: meta } = context.mcpReq;
    await context.mcpReq.notify({
      method: 'notifications/message',
      params: { level: 'warning', data: { key: 'key-of-the-test' } },
    });
    if (meta?.progressToken !== undefined) {
      const { progressToken } = meta;
      const params = { progressToken, progress: 1, total: 2, message: 'half' };
      await context.mcpReq.notify({ method: 'notifications/progress', params });
    }
    await released;
    return text('done');
  });
  return server;
}

let serving: Serving;
let release: () => void;
beforeEach(async () => {
  const released = new Promise<void>((resolve) => (release = resolve));
  serving = await serve({ create: () => createServer(released) });
});
afterEach(async () => {
  release();
  await serving.close();
});

/** A recorder, and what comes of its lines. */
function record(options: Partial<RecorderOptions> = {}) {
  const lines: RecordedLine[] = [];
  const picture = new Picture();
  const recorder = createRecorder({
    write: (line) => {
      lines.push(line);
      picture.apply(line);
    },
    ...options,
  });
  const of = (call: number) => lines.filter((line) => 'call' in line && line.call === call);
  return {
    lines,
    picture,
    recorder,
    of,
    typesOf: (call: number) => of(call).map(({ type }) => type),
  };
}

describe('a client that is recorded', () => {
  it('has the rounds of a call, each because of the one before', async () => {
    const { picture, recorder } = record({ by: () => ({ who: 'test' }) });
    await using client = createClient(serving.url, {
      protocol: '2026-07-28',
      middleware: [recorder.middleware('small')],
      handlers: { elicitation: () => ({ action: 'accept', content: { name: 'me' } }) },
    });
    await client.callTool('echo', { message: 'a' });
    const asked = await Promise.all(
      ['b', 'c'].map((message) => client.callTool('ask', { message })),
    );
    expect(asked).toMatchObject(['b', 'c'].map((message) => text(`asked, ${message}`)));
    const calls = picture.ended.filter(({ name }) => name === 'ask');
    const first = calls.filter(({ by }) => by !== undefined && 'who' in by);
    expect(first).toHaveLength(2);
    for (const { call, arguments: given, end } of first) {
      expect(end?.result).toMatchObject({ resultType: 'input_required' });
      expect(
        calls.filter(({ by }) => by !== undefined && 'call' in by && by.call === call),
      ).toEqual([expect.objectContaining({ arguments: given })]);
    }
    expect(calls).toHaveLength(4);
  });

  it('has the rounds of a call with an integer that is too large for a number', async () => {
    const { picture, recorder } = record();
    const middleware = recorder.middleware('small');
    const requestOf = (params: Readonly<Record<string, unknown>>): RecordableRequest => ({
      method: 'tools/call',
      params: { name: 'ask', arguments: { id: 2n ** 60n }, ...params },
      internal: false,
      signal: new AbortController().signal,
      redact: (text) => text,
      abort: () => undefined,
    });
    const asked = { resultType: 'input_required', requestState: 's' };
    await middleware(requestOf({}), async () => ({ result: asked }));
    await middleware(requestOf({ requestState: 's' }), async () => ({ result: {} }));
    expect(picture.ended.map(({ by }) => by)).toEqual([undefined, { call: 1 }]);
    expect(picture.lost).toBe(0);
  });

  it('has its calls as lines: begin, attempt, progress, end', async () => {
    const { lines, picture, recorder, of, typesOf } = record();
    await using client = createClient(serving.url, { middleware: [recorder.middleware('small')] });
    recorder.watch({ name: 'small', client });
    await client.connect();
    expect(lines.filter(({ type }) => type === 'call')).toEqual([]);

    expect(await client.callTool('echo', { message: 'hi' })).toMatchObject(text('hi'));
    expect(of(1)).toMatchObject([
      {
        type: 'call',
        server: 'small',
        method: 'tools/call',
        name: 'echo',
        arguments: { message: 'hi' },
      },
      { type: 'attempt', attempt: 1, id: expect.any(Number) as number },
      { type: 'end', outcome: 'result', result: text('hi') },
    ]);

    const progress: number[] = [];
    const counted = client.callTool(
      'count',
      {},
      { onProgress: (it) => progress.push(it.progress) },
    );
    await until(() => picture.find(2)?.progress !== undefined);
    expect(progress).toEqual([1]);
    expect(picture.servers.get('small')?.inFlight).toBe(1);
    release();
    await counted;
    expect(of(2)).toMatchObject([
      { type: 'call' },
      { type: 'attempt' },
      { type: 'progress', progress: 1, total: 2, message: 'half' },
      { type: 'end' },
    ]);

    await client.callTool('fail');
    expect(of(3).at(-1)).toMatchObject({ outcome: 'tool-error', result: { isError: true } });
    await client.readResource('file:///none').catch(() => {});
    expect(of(4)).toMatchObject([
      { type: 'call', method: 'resources/read', name: 'file:///none' },
      { type: 'attempt' },
      {
        type: 'end',
        outcome: 'error',
        error: {
          code: 'server-error',
          certainty: 'answered',
          number: expect.any(Number) as number,
        },
      },
    ]);
    expect(typesOf(5)).toEqual([]);

    const times = lines.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(JSON.parse(JSON.stringify(lines))).toEqual(lines);
  });

  it('has its connection and its notifications as lines', async () => {
    const { picture, recorder } = record();
    await using client = createClient(serving.url, { middleware: [recorder.middleware('small')] });
    const stop = recorder.watch({ name: 'small', client });
    await client.connect();
    const counted = client.callTool('count');
    await until(() => picture.events.length > 0);
    release();
    await counted;
    stop();
    await client.close();
    const { known, states = [] } = picture.servers.get('small') ?? {};
    expect(known).toMatchObject({
      target: serving.url,
      transport: 'streamable-http',
      protocolVersion: client.protocolVersion,
      info: { name: 'small', version: '3' },
    });
    expect(states.map(({ state }) => state)).toEqual(['idle', 'connecting', 'ready']);
    expect(picture.events).toMatchObject([
      { method: 'notifications/message', params: { level: 'warning' } },
    ]);
  });

  it('keeps neither secrets nor what is too large', async () => {
    const { lines, recorder, of } = record({ maxValueBytes: 200 });
    await using client = await connect(serving.url, {
      headers: { authorization: 'Bearer key-of-the-test' },
      middleware: [recorder.middleware('small')],
    });
    recorder.watch({ name: 'small', client });
    const said = 'key-of-the-test'.repeat(3);
    expect(await client.callTool('echo', { message: said })).toMatchObject(text(said));
    const large = 'x'.repeat(10_000);
    expect(await client.callTool('echo', { message: large })).toMatchObject(text(large));
    const counted = client.callTool('count');
    await until(() => lines.some(({ type }) => type === 'notification'));
    release();
    await counted;
    expect(JSON.stringify(lines)).not.toContain('key-of-the-test');
    expect(of(1)[0]).toMatchObject({ arguments: { message: '***'.repeat(3) } });
    expect(of(2)[0]).toMatchObject({
      arguments: { cut: expect.any(String) as string, bytes: 10_014 },
    });
    expect(of(2).at(-1)).toMatchObject({ result: { bytes: expect.any(Number) as number } });
  });

  it('says who made a call, and lets it be ended', async () => {
    const who = new AsyncLocalStorage<string>();
    const numbers: number[] = [];
    const { recorder, of } = record({
      by: (call) => {
        numbers.push(call);
        const name = who.getStore();
        return name === undefined ? undefined : { who: name };
      },
    });
    await using client = await connect(serving.url, { middleware: [recorder.middleware('small')] });
    const counted = who
      .run('page', () => client.callTool('count'))
      .catch((error: unknown) => error);
    await until(() => of(1).some(({ type }) => type === 'attempt'));
    const error = new LongwireError('ended by hand', {
      code: 'aborted',
      certainty: 'outcome-unknown',
    });
    expect(recorder.cancel(1, error)).toBe(true);
    expect(await counted).toBe(error);
    expect(recorder.cancel(1, error)).toBe(false);
    expect(numbers).toEqual([1]);
    // The server may have told of its progress before.
    expect(of(1).filter(({ type }) => type !== 'progress')).toMatchObject([
      { type: 'call', by: { who: 'page' } },
      { type: 'attempt' },
      { type: 'end', outcome: 'error', error: { code: 'aborted', certainty: 'outcome-unknown' } },
    ]);
  });

  it('has a call end when its caller is told, whatever a middleware does with it', async () => {
    const { recorder, of } = record();
    const holding = Object.assign(() => new Promise<never>(() => {}), { addsNoIdentity: true });
    await using client = await connect(serving.url, {
      middleware: [
        recorder.middleware('small'),
        (request, next) => (request.internal ? next() : holding()),
      ],
    });
    const failed = await client
      .callTool('echo', { message: 'x' }, { timeoutMs: 20 })
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'timeout' });
    expect(of(1)).toMatchObject([
      { type: 'call' },
      { type: 'end', outcome: 'error', error: { code: 'timeout', certainty: 'not-sent' } },
    ]);
  });

  it('may have a cache, whose answers are calls without an attempt', async () => {
    const { recorder, typesOf } = record();
    const middleware = [recorder.middleware('small'), cache({ tools: { echo: 60_000 } })];
    await using client = await connect(serving.url, { middleware });
    for (const _ of [1, 2]) await client.callTool('echo', { message: 'same' });
    expect([typesOf(1), typesOf(2)]).toEqual([
      ['call', 'attempt', 'end'],
      ['call', 'end'],
    ]);
  });

  it('is not harmed by what takes the lines, and says how many were lost', async () => {
    const taken: RecordedLine[] = [];
    let isFull = true;
    const recorder = createRecorder({
      write: (line) => {
        if (isFull) throw new Error('the disk is full');
        taken.push(line);
      },
    });
    await using client = await connect(serving.url, { middleware: [recorder.middleware('small')] });
    expect(await client.callTool('echo', { message: 'hi' })).toMatchObject(text('hi'));
    isFull = false;
    await client.callTool('fail');
    expect(taken.map(({ type }) => type)).toEqual(['gap', 'call', 'attempt', 'end']);
    expect(taken[0]).toMatchObject({ count: 3 });
  });
});

it('a call that is lost with its connection has a second attempt, and its cause', async () => {
  await using everything = await startEverything({ mode: 'sse' });
  await using proxy = await createFaultyProxy({ target: everything.url });
  const { picture, recorder } = record();
  await using client: LongwireClient = createClient(new URL('/sse', proxy.origin).href, {
    middleware: [recorder.middleware('everything')],
    retry: { firstDelayMs: 5, maxDelayMs: 50 },
  });
  recorder.watch({ name: 'everything', client });
  recorder.catalogue({
    server: 'everything',
    kind: 'tools',
    items: (await client.listTools()) as unknown as Record<string, unknown>[],
  });
  const [listing] = picture.ended;
  expect(listing).toMatchObject({ method: 'tools/list', end: { outcome: 'result' } });

  let isCut = false;
  const onProgress = (): void => {
    if (!isCut) proxy.cutAll();
    isCut = true;
  };
  const args = { duration: 0.2, steps: 2 };
  const options = { idempotent: true, onProgress };
  await client.callTool('trigger-long-running-operation', args, options);
  const call = picture.ended.at(-1);
  expect(call).toMatchObject({
    name: 'trigger-long-running-operation',
    end: { outcome: 'result' },
  });
  expect(call?.attempts).toMatchObject([
    { attempt: 1 },
    { attempt: 2, cause: { code: 'connection-lost' } },
  ]);
  expect(call?.attempts[0]?.id).not.toBe(call?.attempts[1]?.id);
  const server = picture.servers.get('everything');
  expect(server?.totals).toMatchObject({ reconnects: 1, calls: 2 });
  expect(server?.catalogue.tools?.map(({ name }) => name)).toContain('echo');
});

it('has the authorizations of a client, whether they are granted or not', async () => {
  let key = 'old';
  await using guarded = await serve({
    create: () => createServer(Promise.resolve()),
    auth: apiKeys({ keys: [{ principal: 'test', sha256: hashApiKey('new') }] }),
  });
  const { lines, picture, recorder } = record();
  const auth = {
    headers: () => ({ authorization: `Bearer ${key}` }),
    onChallenge: (status: 401 | 403) => {
      if (key === 'none') throw new Error('there is no other key');
      if (status === 401) key = 'new';
      return 'retry' as const;
    },
  };
  await using client = createClient(guarded.url, { auth: recorder.auth('small', auth) });
  await client.callTool('echo', { message: 'a' });
  const authorizations = (): unknown => picture.servers.get('small')?.authorizations;
  expect(authorizations()).toMatchObject([{ status: 401, decision: 'retry' }]);
  key = 'none';
  await expect(client.callTool('echo', { message: 'b' })).rejects.toThrow();
  expect(authorizations()).toMatchObject([
    { decision: 'retry' },
    { status: 401, decision: 'fail', error: { message: 'there is no other key' } },
  ]);
  expect(JSON.stringify(lines)).not.toContain('Bearer');
});

it('a group that is watched has the states of all its servers', async () => {
  const { picture, recorder } = record();
  await using group = createGroup({ one: serving.url, other: serving.sseUrl });
  const stop = recorder.watchGroup(group);
  await group.connect();
  const statesOf = (name: string) => picture.servers.get(name)?.states.map(({ state }) => state);
  for (const name of ['one', 'other']) expect(statesOf(name)?.at(-1)).toBe('ready');
  expect(picture.servers.get('one')?.known.target).toBe(serving.url);
  expect(picture.servers.get('other')?.known.transport).toBe('sse');
  stop();
  await group.close();
  expect(statesOf('one')?.at(-1)).toBe('ready');
});

it.each([0, 1.5, NaN, Infinity])('maxValueBytes: %s is refused', (maxValueBytes) => {
  expect(() => createRecorder({ write: () => {}, maxValueBytes })).toThrow(/^maxValueBytes/);
});
