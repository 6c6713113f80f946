import {
  SSEClientTransport as Sse2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { SSEClientTransport as Sse1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countOpenHandles, type OpenHandles } from '../../support/open-handles.ts';
import { interpreterOf, preparePython } from '../../support/python-servers.ts';
import { directoryOf, tellWhatIsMissing } from '../support/missing.ts';
import { lookWithSdk1, lookWithSdk2, type Looking } from './support/official.ts';
import { nodeOf, prepareClients } from './support/prepare-clients.ts';
import { WHOLE, wholeBut, type ClientReport } from './support/report.ts';
import { clients, QUIET, runClient } from './support/run-client.ts';
import { serveKit, type KitServing } from './support/serve-kit.ts';
import { removeFolder } from '../../support/remove-folder.ts';

const [fromNpm, python] = await Promise.all([prepareClients(), preparePython()]);

const modern = { ...WHOLE, protocolVersion: '2026-07-28' };
const legacy = { ...WHOLE, protocolVersion: '2025-11-25' };

// One server and one port for all of them.
let kit: KitServing;
let before: OpenHandles;
beforeAll(async () => {
  before = await countOpenHandles();
  kit = await serveKit();
});
afterAll(async () => {
  await kit[Symbol.asyncDispose]();
  await before.expectNoneLeft();
});

const overSse = (): URL => new URL(kit.sseUrl);
const overHttp = (): URL => new URL(kit.url);

describe('the official client 1.x', () => {
  test('over SSE', async () => {
    expect(await lookWithSdk1(new Sse1(overSse()))).toEqual(WHOLE);
  });

  test('over Streamable HTTP', async () => {
    // Its declarations do not suit exactOptionalPropertyTypes.
    const transport = new Http1(overHttp()) as unknown as Parameters<typeof lookWithSdk1>[0];
    expect(await lookWithSdk1(transport)).toEqual(WHOLE);
  });
});

describe('the official client 2.x', () => {
  test('over SSE', async () => {
    expect(await lookWithSdk2(new Sse2(overSse()), 'legacy')).toEqual(legacy);
  });

  test('over Streamable HTTP', async () => {
    expect(await lookWithSdk2(new Http2(overHttp()), 'legacy')).toEqual(legacy);
  });

  test.for(['auto', { pin: '2026-07-28' }] as const)('without a session, as %j', async (mode) => {
    expect(await lookWithSdk2(new Http2(overHttp()), mode)).toEqual(modern);
  });
});

const supergateway = fileURLToPath(
  new URL('../../../node_modules/supergateway/dist/index.js', import.meta.url),
);

describe('bridges to stdio', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'longwire-bridge-'));
  });
  afterAll(() => removeFolder(home));

  /** The official client talks to a program that talks to the server. */
  function bridged(command: string, args: string[], looking?: Looking): Promise<ClientReport> {
    const env = { ...QUIET, HOME: home };
    const transport = new StdioClientTransport({ command, args, env, stderr: 'ignore' });
    return lookWithSdk2(transport, 'legacy', looking);
  }

  // It passes on neither progress nor notifications, and knows tools only.
  test.for(['--sse', '--streamableHttp'])('supergateway %s', async (flag) => {
    const url = flag === '--sse' ? kit.sseUrl : kit.url;
    const args = [supergateway, flag, url, '--logLevel', 'none'];
    expect(await bridged(process.execPath, args, { hears: false })).toMatchObject(
      wholeBut('progress', 'logged', 'changed'),
    );
  });

  describe.skipIf('missing' in fromNpm)('mcp-remote', () => {
    test.for(['sse-only', 'http-only'])('--transport %s', async (strategy) => {
      const program = join(directoryOf(fromNpm), 'node_modules/mcp-remote/dist/proxy.js');
      const url = strategy === 'sse-only' ? kit.sseUrl : kit.url;
      const args = [program, url, '--transport', strategy, '--allow-http'];
      expect(await bridged(nodeOf(directoryOf(fromNpm)), args)).toEqual(legacy);
    });
  });
});

tellWhatIsMissing(fromNpm);

describe.skipIf('missing' in fromNpm)('a client of npm', () => {
  /** Runs a program of ours in Node 24, with the packages there. */
  async function look(script: string, flags: string[], ...args: string[]): Promise<unknown> {
    const directory = directoryOf(fromNpm);
    const source = await readFile(join(clients, script), 'utf8');
    const all = [...flags, '--input-type=module', '--eval', source, ...args];
    return JSON.parse(await runClient(nodeOf(directory), all, { cwd: directory }));
  }

  test.for(['sse', 'http'])('@ai-sdk/mcp over %s', async (type) => {
    const url = type === 'sse' ? kit.sseUrl : kit.url;
    // It shows no more.
    expect(await look('ai-sdk.mjs', [], type, url)).toEqual(
      wholeBut('progress', 'logged', 'changed'),
    );
  });

  test('the EventSource of npm', async () => {
    expect(await look('plain-event-source.mjs', [], 'npm', kit.sseUrl)).toEqual(WHOLE);
  });

  test('the EventSource of Node', async () => {
    const flags = ['--experimental-eventsource'];
    expect(await look('plain-event-source.mjs', flags, 'node', kit.sseUrl)).toEqual(WHOLE);
  });

  test.for([
    ['sse', 'legacy'],
    ['http', 'legacy'],
    ['http', 'modern'],
  ] as const)('the Inspector over %s, %s', async ([transport, era]) => {
    const directory = directoryOf(fromNpm);
    const program = join(
      directory,
      'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    );
    const url = transport === 'sse' ? kit.sseUrl : kit.url;
    const common = [program, '--cli', url, '--transport', transport, '--protocol-era', era];
    const inspect = async (method: string, ...args: string[]): Promise<string> =>
      runClient(nodeOf(directory), [...common, '--method', method, ...args]);
    expect(JSON.parse(await inspect('tools/list'))).toMatchObject({
      tools: expect.arrayContaining(
        WHOLE.tools.map((name) => expect.objectContaining({ name }) as unknown),
      ) as unknown,
    });
    const call = ['--tool-name', 'echo', '--tool-arg', 'message=hé'];
    expect(JSON.parse(await inspect('tools/call', ...call))).toMatchObject({
      content: [{ type: 'text', text: WHOLE.echo }],
    });
    expect(await inspect('resources/read', '--uri', 'note://one')).toContain(WHOLE.resource);
    const prompt = ['--prompt-name', 'greet', '--prompt-args', 'name=Ada'];
    expect(await inspect('prompts/get', ...prompt)).toContain(WHOLE.prompt);
  });
});

tellWhatIsMissing(python);

describe.skipIf('missing' in python)('a client in Python', () => {
  test.for([
    ['mcp', 'sse', 'legacy'],
    ['mcp', 'http', 'legacy'],
    ['mcp', 'http', 'auto'],
    ['fastmcp', 'sse', 'legacy'],
    ['fastmcp', 'http', 'legacy'],
    ['fastmcp', 'http', 'auto'],
  ] as const)('%s over %s, %s', async ([library, transport, mode]) => {
    const url = transport === 'sse' ? kit.sseUrl : kit.url;
    const script = join(clients, 'python-client.py');
    const args = [script, library, transport, mode, url];
    const report: unknown = JSON.parse(await runClient(interpreterOf(directoryOf(python)), args));
    // fastmcp has no way to listen in the modern era.
    const isDeaf = library === 'fastmcp' && mode === 'auto';
    expect(report).toEqual(isDeaf ? wholeBut('changed') : WHOLE);
  });
});
