import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { tellWhatIsMissing } from '../interop/support/missing.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { startCluster, type RunningCluster } from './support/cluster.mjs';
import { whyNoRedis } from './support/redis-server.mjs';

/** Sessions and their owners, each request sent to a node that the test names. */
expectNothingLeftOpen();

const missing = await whyNoRedis();
tellWhatIsMissing({ missing });

interface Answered {
  readonly status: number;
  readonly message: {
    readonly id?: unknown;
    readonly result?: { readonly content?: readonly { readonly text: string }[] };
    readonly error?: { readonly code: number; readonly data?: unknown };
  };
}

const VERSION = '2025-11-25';

function post(origin: string | undefined, body: object, session?: string): Promise<Response> {
  return fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      connection: 'close',
      ...(session !== undefined && {
        'mcp-session-id': session,
        'mcp-protocol-version': VERSION,
      }),
    },
    body: JSON.stringify(body),
  });
}

/** The answer to a request, in either form. */
async function answerOf(response: Response): Promise<Answered> {
  const { status } = response;
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const lines = isStream
    ? text.split('\n').filter((line) => line.startsWith('data: {'))
    : [`data: ${text}`];
  const messages = lines.map((line) => JSON.parse(line.slice(6)) as Answered['message']);
  return { status, message: messages.find((one) => 'result' in one || 'error' in one) ?? {} };
}

async function ask(origin: string | undefined, body: object, session: string): Promise<Answered> {
  return answerOf(await post(origin, body, session));
}

async function open(origin: string | undefined): Promise<string> {
  const response = await post(origin, {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: {
      protocolVersion: VERSION,
      capabilities: {},
      clientInfo: { name: 'test', version: '1.0.0' },
    },
  });
  await response.text();
  const session = response.headers.get('mcp-session-id') ?? '';
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
  expect((await post(origin, initialized, session)).status).toBe(202);
  return session;
}

function call(name: string, args: object): { readonly id: string; readonly jsonrpc: string } {
  const request = { method: 'tools/call', params: { name, arguments: args } };
  return { jsonrpc: '2.0', id: randomUUID(), ...request };
}

function begun(cluster: RunningCluster): string[] {
  return cluster
    .journal()
    .filter(({ what }) => what === 'begins')
    .map(({ tool, key, node }) => `${tool} ${key} ${node}`);
}

const UNKNOWN = { code: -32_603, data: { certainty: 'outcome-unknown' } };

describe.skipIf(missing !== undefined)('a session whose node dies', () => {
  it('goes on on the node that meets it next, and says what became of its calls', async () => {
    await using cluster = await startCluster({ nodes: 2 });
    const [first, second] = cluster.nodes;
    const session = await open(first?.origin);
    const ended = call('write', { key: 'ended' });
    expect((await ask(first?.origin, ended, session)).message).toMatchObject({
      result: { content: [{ text: 'write: ended' }] },
    });
    const unsafe = call('write', { key: 'unsafe', ms: 60_000 });
    const safe = call('read', { key: 'safe', ms: 4_000 });
    const cut = Promise.allSettled([
      ask(first?.origin, unsafe, session),
      ask(first?.origin, safe, session),
    ]);
    await until(() => expect(begun(cluster)).toHaveLength(3));
    await first?.kill();
    await cut;

    // The first that meets it is asked something else; then each call is repeated as it was.
    await until(async () => {
      const { status } = await ask(second?.origin, call('echo', { message: 'a' }), session);
      expect(status).toBe(200);
    });
    expect(await ask(second?.origin, unsafe, session)).toMatchObject({
      status: 200,
      message: { id: unsafe.id, error: UNKNOWN },
    });
    expect(await ask(second?.origin, safe, session)).toMatchObject({
      message: { id: safe.id, result: { content: [{ text: 'read: safe' }] } },
    });
    expect(await ask(second?.origin, ended, session)).toMatchObject({
      message: { id: ended.id, result: { content: [{ text: 'write: ended' }] } },
    });
    expect(begun(cluster).toSorted()).toEqual([
      'read safe node-1',
      'read safe node-2',
      'write ended node-1',
      'write unsafe node-1',
    ]);
  });
});

describe.skipIf(missing !== undefined)('a node that is stalled', () => {
  it('drops what others have taken, and answers nothing twice', async () => {
    await using cluster = await startCluster({ nodes: 2 });
    const [first, second] = cluster.nodes;
    const session = await open(first?.origin);
    const unsafe = call('write', { key: 'unsafe', ms: 5_000 });
    const response = await post(first?.origin, unsafe, session);
    await until(() => expect(begun(cluster)).toHaveLength(1));
    first?.stall();
    await until(async () => {
      const { message } = await ask(second?.origin, unsafe, session);
      expect(message).toMatchObject({ id: unsafe.id, error: UNKNOWN });
    });
    first?.go();
    // The response ends, and has no answer.
    expect(await answerOf(response)).toEqual({ status: 200, message: {} });
    expect((await ask(second?.origin, unsafe, session)).message).toMatchObject({ error: UNKNOWN });
    expect(begun(cluster)).toEqual(['write unsafe node-1']);
  });
});

describe.skipIf(missing !== undefined)('a node that stops in order', () => {
  it('lets its sessions go once nothing runs in them, and nobody waits for a lease', async () => {
    await using cluster = await startCluster({
      nodes: 2,
      // Nothing ends by itself in time.
      clusterOptions: { leaseMs: 60_000 },
      options: { stop: { delayMs: 0, graceMs: 20_000 } },
    });
    const [first, second] = cluster.nodes;
    const quiet = await open(first?.origin);
    const busy = await open(first?.origin);
    const running = ask(first?.origin, call('write', { key: 'long', ms: 1_500 }), busy);
    await until(() => expect(begun(cluster)).toHaveLength(1));
    const stopped = first?.stop();
    await until(async () => {
      const answer = await ask(second?.origin, call('echo', { message: 'a' }), quiet);
      expect(answer).toMatchObject({ message: { result: { content: [{ text: 'Echo: a' }] } } });
    });
    expect((await running).message).toMatchObject({
      result: { content: [{ text: 'write: long' }] },
    });
    await until(async () => {
      const answer = await ask(second?.origin, call('echo', { message: 'b' }), busy);
      expect(answer).toMatchObject({ message: { result: { content: [{ text: 'Echo: b' }] } } });
    });
    expect(await stopped).toBe(0);
  });
});
