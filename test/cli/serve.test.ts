import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashApiKey } from '@longwire/server';
import { createMCPClient } from '@ai-sdk/mcp';
import {
  Client as Client2,
  SSEClientTransport as Sse2,
  StreamableHTTPClientTransport as Http2,
  type Transport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { SSEClientTransport as Sse1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { directoryOf, tellWhatIsMissing } from '../interop/support/missing.ts';
import { nodeOf, prepareClients } from '../interop/kit/support/prepare-clients.ts';
import { runClient } from '../interop/kit/support/run-client.ts';
import { countOpenHandles, type OpenHandles } from '../support/open-handles.ts';
import { everythingCommand, startEverything, type Peer } from '../support/peers.ts';
import { descendantsOf, isRunning } from '../support/process-tree.ts';
import { runCli, startCli, type CliProcess } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

const fromNpm = await prepareClients();
tellWhatIsMissing(fromNpm);

const IDENTITY = { name: 'test', version: '0' };
const CAPABILITIES = { sampling: {}, elicitation: { form: {} } };
const SAMPLED = {
  role: 'assistant' as const,
  content: { type: 'text' as const, text: 'a model' },
  model: 'none',
};
const FILLED = { action: 'accept' as const, content: { name: 'Ada' } };
const { command, args } = everythingCommand();

interface Gateway extends AsyncDisposable {
  readonly command: CliProcess;
  readonly url: URL;
  readonly sseUrl: URL;
}

async function startServe(...words: string[]): Promise<Gateway> {
  const serving = await startCli(['serve', '--json', ...words], { killAfterMs: 300_000 });
  await serving.waitFor(/Ctrl-C ends it/);
  const { url, sseUrl } = JSON.parse(serving.stdout()) as { url: string; sseUrl: string };
  return {
    command: serving,
    url: new URL(url),
    sseUrl: new URL(sseUrl),
    [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose](),
  };
}

/** Makes a request whose answer is neither checked nor changed. */
type Ask = (
  method: string,
  params?: Record<string, unknown>,
  onprogress?: (told: object) => void,
) => Promise<unknown>;

/** All that a client can ask server-everything, as it was answered. */
async function askAll(ask: Ask): Promise<unknown> {
  const call = (name: string, given: object = {}): Promise<unknown> =>
    ask('tools/call', { name, arguments: given });
  const failed = (asked: Promise<unknown>): Promise<unknown> =>
    asked.then(
      () => 'no error',
      (error: unknown) => String(error),
    );
  let tools: { name: string }[] = [];
  // It adds some once it knows what its client can do.
  await until(async () => {
    ({ tools } = (await ask('tools/list')) as { tools: typeof tools });
    const names = tools.map(({ name }) => name);
    const late = ['trigger-sampling-request', 'trigger-elicitation-request'];
    return late.every((name) => names.includes(name));
  });
  const progress: object[] = [];
  const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } };
  return {
    tools,
    prompts: await ask('prompts/list'),
    prompt: await ask('prompts/get', { name: 'args-prompt', arguments: { city: 'Bern' } }),
    templates: await ask('resources/templates/list'),
    read: await ask('resources/read', { uri: 'demo://resource/static/document/features.md' }),
    level: await ask('logging/setLevel', { level: 'error' }),
    complete: await ask('completion/complete', {
      ref: { type: 'ref/prompt', name: 'completable-prompt' },
      argument: { name: 'department', value: 'E' },
    }),
    echo: await call('echo', { message: 'hé' }),
    long: await ask('tools/call', long, (told) => progress.push(told)),
    // The last one may be overtaken by the answer, in the client.
    progress: progress.slice(0, 2),
    sampled: await call('trigger-sampling-request', { prompt: 'say', maxTokens: 5 }),
    filled: await call('trigger-elicitation-request'),
    wrong: await failed(call('get-sum', { a: 'one' })),
    unknown: await failed(ask('no/method')),
  };
}

type Initialized = Pick<Client2, 'getServerVersion' | 'getServerCapabilities' | 'getInstructions'>;

/** What a server says of itself, less what the kit adds. */
function selfOf(client: Initialized): unknown {
  const { experimental: _kit, ...capabilities } = client.getServerCapabilities() ?? {};
  return [client.getServerVersion(), capabilities, client.getInstructions()];
}

async function lookWithSdk1(transport: unknown): Promise<unknown> {
  const client = new Client1(IDENTITY, { capabilities: CAPABILITIES });
  client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
  client.setRequestHandler(ElicitRequestSchema, () => FILLED);
  // Its declarations do not suit exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client1['connect']>[0]);
  try {
    const ask: Ask = (method, params = {}, onprogress) =>
      client.request({ method, params }, z.looseObject({}), { ...(onprogress && { onprogress }) });
    return [selfOf(client as unknown as Initialized), await askAll(ask)];
  } finally {
    await client.close();
  }
}

async function lookWithSdk2(transport: Transport): Promise<unknown> {
  const client = new Client2(IDENTITY, {
    capabilities: CAPABILITIES,
    versionNegotiation: { mode: 'auto' },
  });
  client.setRequestHandler('sampling/createMessage', () => SAMPLED);
  client.setRequestHandler('elicitation/create', () => FILLED);
  await client.connect(transport);
  try {
    const ask: Ask = (method, params = {}, onprogress) =>
      client.request({ method, params }, z.looseObject({}), { ...(onprogress && { onprogress }) });
    return [selfOf(client), await askAll(ask)];
  } finally {
    await client.close();
  }
}

let before: OpenHandles;
let direct: { sdk1: unknown; sdk2: unknown };
beforeAll(async () => {
  before = await countOpenHandles();
  direct = {
    sdk1: await lookWithSdk1(new Stdio1({ command, args, stderr: 'ignore' })),
    sdk2: await lookWithSdk2(new Stdio2({ command, args, stderr: 'ignore' })),
  };
});

afterAll(() => before.expectNoneLeft());

describe.each(['a command', 'a URL'])('server-everything as %s', (kind) => {
  let peer: Peer | undefined;
  let gateway: Gateway;
  beforeAll(async () => {
    peer = kind === 'a URL' ? await startEverything({ mode: 'streamableHttp' }) : undefined;
    gateway = await startServe(...(peer === undefined ? ['--', command, ...args] : [peer.url]));
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await peer?.stop();
  });

  test('is for the official client 1.x what it is over stdio', async () => {
    expect(await lookWithSdk1(new Http1(gateway.url))).toEqual(direct.sdk1);
    expect(await lookWithSdk1(new Sse1(gateway.sseUrl))).toEqual(direct.sdk1);
  });

  test('is for the official client 2.x what it is over stdio', async () => {
    expect(await lookWithSdk2(new Http2(gateway.url))).toEqual(direct.sdk2);
    expect(await lookWithSdk2(new Sse2(gateway.sseUrl))).toEqual(direct.sdk2);
  });

  test('answers @ai-sdk/mcp', async () => {
    for (const type of ['http', 'sse'] as const) {
      const url = (type === 'sse' ? gateway.sseUrl : gateway.url).href;
      const client = await createMCPClient({ transport: { type, url } });
      const tools = await client.tools();
      const options = { toolCallId: '1', messages: [] } as never;
      const echoed: unknown = await tools['echo']?.execute?.({ message: 'hé' }, options);
      expect(echoed).toMatchObject({ content: [{ type: 'text', text: 'Echo: hé' }] });
      await client.close();
    }
  });

  test('answers longwire itself', async () => {
    const words = ['call', gateway.url.href, 'get-sum', 'a=1', 'b=2'];
    expect(await runCli(words)).toMatchObject({ code: 0, stdout: 'The sum of 1 and 2 is 3.\n' });
  });

  test.skipIf('missing' in fromNpm)('answers the Inspector', async () => {
    const directory = directoryOf(fromNpm);
    const program = join(
      directory,
      'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    );
    for (const transport of ['sse', 'http']) {
      const url = (transport === 'sse' ? gateway.sseUrl : gateway.url).href;
      const common = [program, '--cli', url, '--transport', transport, '--protocol-era', 'legacy'];
      const inspect = async (...words: string[]): Promise<unknown> =>
        JSON.parse(await runClient(nodeOf(directory), [...common, '--method', ...words]));
      expect(await inspect('tools/list')).toMatchObject({
        tools: expect.arrayContaining([expect.objectContaining({ name: 'echo' })]) as unknown,
      });
      const echo = ['tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hé'];
      expect(await inspect(...echo)).toMatchObject({
        content: [{ type: 'text', text: 'Echo: hé' }],
      });
    }
  });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 0],
] as const)('%s ends all processes of all sessions, and then it', async (signal, code) => {
  await using gateway = await startServe('--', command, ...args);
  const clients = [new Client2(IDENTITY), new Client2(IDENTITY)];
  for (const client of clients) await client.connect(new Http2(gateway.url));
  const processes = descendantsOf(gateway.command.pid);
  expect(processes.length).toBe(2);
  gateway.command.kill(signal);
  expect((await gateway.command.done).code).toBe(code);
  await until(() => !processes.some(isRunning));
  for (const client of clients) await client.close();
});

test('its page is shown to whoever may watch, and to nobody else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-serve-'));
  const file = join(folder, 'keys.json');
  const keys = ['operator', 'ci'].map((principal) => {
    return { principal, sha256: hashApiKey(`key-of-${principal}`) };
  });
  await writeFile(file, JSON.stringify(keys));
  const given = ['--api-keys', file, '--page', 'operator', '--', command, ...args];
  await using gateway = await startServe(...given);
  const { pageUrl } = JSON.parse(gateway.command.stdout()) as { pageUrl: string };
  const statusOf = async (key?: string): Promise<number> => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const { status, body } = await fetch(`${pageUrl}/`, { headers });
    await body?.cancel();
    return status;
  };
  expect(await statusOf()).toBe(401);
  expect(await statusOf('key-of-ci')).toBe(403);
  expect(await statusOf('key-of-operator')).toBe(200);
  await rm(folder, { recursive: true });
});

test('more processes than are allowed are refused', async () => {
  await using gateway = await startServe('--max-sessions', '1', '--', command, ...args);
  const [one, other] = [new Client2(IDENTITY), new Client2(IDENTITY)];
  await one.connect(new Http2(gateway.url));
  await expect(other.connect(new Http2(gateway.url))).rejects.toThrow(/429|503|sessions/);
  await one.close();
  await other.close();
});
