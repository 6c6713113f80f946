import { LongwireError, connect } from '@longwire/client';
import { serve, type Serving } from '@longwire/server';
import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { isRunning } from '../../../test/support/process-tree.ts';
import { removeFolder } from '../../../test/support/remove-folder.ts';
import { until } from '../../../test/support/until.ts';
import { passThrough } from '../src/index.ts';

expectNothingLeftOpen();

const server = fileURLToPath(new URL('./servers/tools.mjs', import.meta.url));
const IDENTITY = { name: 'test', version: '0' };

let folder: string;
let journal: string;
const open: (() => Promise<unknown>)[] = [];
const errors: Error[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longwire-bridge-'));
  journal = join(folder, 'journal');
  errors.length = 0;
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  await removeFolder(folder);
});

const command = (): { command: string; args: string[] } => ({
  command: process.execPath,
  args: [server, journal],
});

async function gateway(target: Parameters<typeof passThrough>[0] = command()): Promise<Serving> {
  const onError = (error: Error): void => void errors.push(error);
  const serving = await serve({ create: passThrough(target, { onError }) });
  open.push(() => serving.close());
  return serving;
}

async function client(transport: Transport, asked: string[] = []): Promise<Client> {
  const made = new Client(IDENTITY, { capabilities: { elicitation: {} } });
  made.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push(params.message);
    return { action: 'accept', content: { name: 'Ada' } };
  });
  await made.connect(transport);
  open.push(() => made.close());
  return made;
}

const streamable = ({ url }: Serving): Transport => new StreamableHTTPClientTransport(new URL(url));
const sse = ({ sseUrl }: Serving): Transport => new SSEClientTransport(new URL(sseUrl));

const textOf = async (call: Promise<unknown>): Promise<string> => {
  const { content } = (await call) as { content: { text: string }[] };
  return content[0]?.text ?? '';
};
const notes = async (): Promise<string[]> => (await readFile(journal, 'utf8')).trim().split('\n');

describe.each([
  ['Streamable HTTP', streamable],
  ['HTTP+SSE', sse],
])('a command behind a gateway, over %s', (_name, transportTo) => {
  test('is what a client over stdio sees', async () => {
    const direct = await client(new StdioClientTransport({ ...command(), stderr: 'ignore' }));
    const through = await client(transportTo(await gateway()));
    expect(through.getServerVersion()).toEqual(direct.getServerVersion());
    expect(through.getInstructions()).toBe('Be careful.');
    const { experimental: _kit, ...capabilities } = through.getServerCapabilities() ?? {};
    expect(capabilities).toEqual(direct.getServerCapabilities());
    expect(await through.listTools()).toEqual(await direct.listTools());
  });

  test('tells progress, asks its client, and is told of a cancellation', async () => {
    const asked: string[] = [];
    const through = await client(transportTo(await gateway()), asked);
    const answer = await textOf(through.callTool({ name: 'ask', arguments: {} }));
    expect(JSON.parse(answer)).toEqual({ action: 'accept', content: { name: 'Ada' } });
    expect(asked).toEqual(['Your name?']);

    const seen: number[] = [];
    const leaving = new AbortController();
    const hanging = through.callTool(
      { name: 'hang', arguments: {} },
      { signal: leaving.signal, onprogress: ({ progress }) => seen.push(progress) },
    );
    const failed = expect(hanging).rejects.toThrow();
    await until(() => expect(seen).toEqual([1, 2, 3]));
    leaving.abort();
    await failed;
    await until(async () => expect(await notes()).toEqual(['cancelled']));
  });

  test('passes errors on as they are', async () => {
    const through = await client(transportTo(await gateway()));
    const direct = await client(new StdioClientTransport({ ...command(), stderr: 'ignore' }));
    const wrong = { name: 'note', arguments: { word: 5 } };
    expect(await through.callTool(wrong)).toEqual(await direct.callTool(wrong));
    const errorOf = (of: Client): Promise<unknown> =>
      of.callTool({ name: 'nothing', arguments: {} }).then(
        () => undefined,
        (error: unknown) => ({ ...(error as object), message: (error as Error).message }),
      );
    expect(await errorOf(through)).toEqual(await errorOf(direct));
  });
});

test('each session has a process of its own, which ends with it and all that it started', async () => {
  const serving = await gateway();
  const [one, other] = [await client(streamable(serving)), await client(sse(serving))];
  const pidOf = async (of: Client): Promise<number> =>
    Number(await textOf(of.callTool({ name: 'pid', arguments: {} })));
  const [first, second] = [await pidOf(one), await pidOf(other)];
  expect(first).not.toBe(second);
  const child = Number(await textOf(one.callTool({ name: 'child', arguments: {} })));
  expect([first, second, child].map(isRunning)).toEqual([true, true, true]);
  await (one.transport as StreamableHTTPClientTransport).terminateSession();
  await until(() => !isRunning(first) && !isRunning(child));
  expect(isRunning(second)).toBe(true);
  await serving.close();
  expect(isRunning(second)).toBe(false);
});

test('a process that ends answers what ran with what is certain, and ends its session', async () => {
  const serving = await gateway();
  await using through = await connect(serving.url);
  const pid = await textOf(through.callTool('pid', {}));
  const failure = await through.callTool('crash', {}).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(LongwireError);
  expect(failure).toMatchObject({ code: 'server-error', certainty: 'outcome-unknown' });
  expect((failure as Error).message).not.toContain('secret');
  expect(errors.map(({ message }) => message).join('\n')).toContain('a secret of the process');

  const another = await connect(serving.url);
  open.push(() => another.close());
  expect(await textOf(another.callTool('pid', {}))).not.toBe(pid);
  // The same client opens a new session by itself.
  expect(await textOf(through.callTool('pid', {}))).not.toBe(pid);
});

test('a process that ends while nothing runs ends its session', async () => {
  const serving = await gateway();
  const through = await client(streamable(serving));
  const pid = Number(await textOf(through.callTool({ name: 'pid', arguments: {} })));
  process.kill(pid, 'SIGKILL');
  await until(() => errors.length > 0);
  const { sessionId } = through.transport as StreamableHTTPClientTransport;
  await until(async () => {
    const { status, body } = await fetch(serving.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'mcp-session-id': sessionId ?? '' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 'ping', method: 'ping' }),
    });
    await body?.cancel();
    return status === 404;
  });
});

test('a command that there is not is an error of initialize', async () => {
  const serving = await gateway({ command: join(folder, 'nothing') });
  await expect(client(streamable(serving))).rejects.toThrow(
    'The server behind this gateway has failed: it could not be reached',
  );
});

test('a server at a URL comes back underneath, and what is safe is sent again', async () => {
  const behind = await gateway();
  const port = Number(new URL(behind.url).port);
  const serving = await gateway(behind.url);
  const through = await client(streamable(serving));
  expect(through.getServerVersion()?.name).toBe('behind');
  expect(await textOf(through.callTool({ name: 'note', arguments: { word: 'one' } }))).toBe('one');
  await behind.close();
  const again = await serve({ create: passThrough(command()), port });
  open.push(() => again.close());
  expect((await through.listTools()).tools.length).toBeGreaterThan(5);
  expect(await textOf(through.callTool({ name: 'note', arguments: { word: 'two' } }))).toBe('two');
  expect(await notes()).toEqual(['one', 'two']);
});

test('a client that speaks 2026-07-28 and sessions opens a session', async () => {
  await using through = await connect((await gateway()).url);
  expect(through.protocolVersion).toBe('2025-11-25');
  expect(through.server?.name).toBe('behind');
});

test('integers of a result arrive as they were written', async () => {
  const result = (value: string): string => `{"jsonrpc":"2.0","id":$ID,"result":${value}}`;
  const initialized =
    '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"big","version":"1"}}';
  const answers = {
    initialize: result(initialized),
    'tools/list': result('{"tools":[]}'),
    'tools/call': result(
      '{"content":[],"structuredContent":{"id":9007199254740993,"text":"integer 1"}}',
    ),
  };
  const scripted = fileURLToPath(
    new URL('../../../test/support/stdio-servers/scripted.mjs', import.meta.url),
  );
  const args = [scripted, JSON.stringify(answers)];
  await using through = await connect((await gateway({ command: process.execPath, args })).url);
  expect(await through.callTool('any', {})).toEqual({
    content: [],
    structuredContent: { id: 9_007_199_254_740_993n, text: 'integer 1' },
  });
});

test('a wrong target is said at once', () => {
  expect(() => passThrough('no URL')).toThrow(TypeError);
});
