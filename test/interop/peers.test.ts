import { connect } from '@longwire/client';
import type { Progress } from '@modelcontextprotocol/client';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { type Peer, startEverything, startMcpProxy, startSupergateway } from '../support/peers.ts';
import { runCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { connectOfficial } from './support/official-client.ts';
import { removeFolder } from '../support/remove-folder.ts';

expectNothingLeftOpen();

interface PeerKind {
  name: string;
  start: () => Promise<Peer>;
  transport: 'sse' | 'streamable-http';
  /** What it must come to, so that nobody falls back to an older protocol without a word. */
  protocolVersion: string;
  /**
   * It passes progress on, and loses the steps that it reads in one piece with the result:
   * the last one often, more of them on a busy machine.
   */
  mayLoseLastSteps?: boolean;
}

const legacy = { protocolVersion: '2025-11-25' };
const overSse = { ...legacy, transport: 'sse' } as const;
const overHttp = { ...legacy, transport: 'streamable-http' } as const;
const peers: PeerKind[] = [
  { name: 'server-everything', start: () => startEverything({ mode: 'sse' }), ...overSse },
  {
    name: 'server-everything, streamableHttp',
    start: () => startEverything({ mode: 'streamableHttp' }),
    ...overHttp,
  },
  { name: 'supergateway', start: () => startSupergateway(), ...overSse },
  { name: 'supergateway, stateful', start: () => startSupergateway('stateful'), ...overHttp },
  {
    name: 'supergateway, stateless',
    start: () => startSupergateway('stateless'),
    ...overHttp,
  },
  { name: 'mcp-proxy', start: () => startMcpProxy(), ...overSse, mayLoseLastSteps: true },
  {
    name: 'mcp-proxy, stream',
    start: () => startMcpProxy('stream'),
    ...overHttp,
    protocolVersion: '2026-07-28',
    mayLoseLastSteps: true,
  },
  {
    name: 'mcp-proxy, stream of the legacy era',
    start: () => startMcpProxy('legacy stream'),
    ...overHttp,
    mayLoseLastSteps: true,
  },
];
const targets = [
  ['its endpoint', ''],
  ['its origin', '..'],
] as const;

const steps = 20;
const longTask = { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps } };
const everyStep = Array.from({ length: steps }, (_, n) => `${n + 1}/${steps}`);

/** What the official client gets from a server. */
interface Reference {
  tools: { name: string }[];
  resources: { resources: unknown[]; resourceTemplates: unknown[] };
  prompts: unknown[];
  counts: { tools: number; resources: number; resourceTemplates: number; prompts: number };
  server: unknown;
  capabilities: unknown;
  protocolVersion: unknown;
  /** The image of `get-tiny-image`. */
  image: Buffer;
}

async function referenceOf(url: string): Promise<Reference> {
  await using official = await connectOfficial(url);
  const { sdk, raw } = official;
  const list = async (method: string, key: string): Promise<{ name: string }[]> => {
    const { [key]: entries, nextCursor } = await raw(method);
    expect(nextCursor, `${method} has one page`).toBeUndefined();
    return entries as { name: string }[];
  };
  const tools = await list('tools/list', 'tools');
  const resources = await list('resources/list', 'resources');
  const resourceTemplates = await list('resources/templates/list', 'resourceTemplates');
  const prompts = await list('prompts/list', 'prompts');
  const { content } = await raw('tools/call', { name: 'get-tiny-image', arguments: {} });
  const image = (content as { type: string; data: string }[]).find(({ type }) => type === 'image');
  return {
    tools,
    resources: { resources, resourceTemplates },
    prompts,
    counts: {
      tools: tools.length,
      resources: resources.length,
      resourceTemplates: resourceTemplates.length,
      prompts: prompts.length,
    },
    server: sdk.getServerVersion(),
    capabilities: sdk.getServerCapabilities(),
    protocolVersion: sdk.getNegotiatedProtocolVersion(),
    image: Buffer.from(image?.data ?? '', 'base64'),
  };
}

// One after the other: supergateway sends what its one child says to all of its clients.
describe.for(peers)('$name', ({ name, start, transport, mayLoseLastSteps = false, ...kind }) => {
  let peer: Peer;
  let reference: Reference;
  beforeAll(async () => {
    peer = await start();
    reference = await referenceOf(peer.url);
    expect(reference.protocolVersion).toBe(kind.protocolVersion);
  });
  afterAll(() => peer.stop());

  function expectEveryStep(seen: string[]): void {
    expect(seen.length).toBeGreaterThanOrEqual(mayLoseLastSteps ? steps / 2 : steps);
    expect(seen).toEqual(everyStep.slice(0, seen.length));
  }

  describe.for(targets)('named by %s', ([, path]) => {
    const target = (): string => new URL(path, peer.url).href;

    test('inspect says what it is', async () => {
      const { code, stdout, stderr } = await runCli(['inspect', target(), '--json']);
      expect([code, stderr]).toEqual([0, '']);
      const { server, capabilities, protocolVersion, counts } = reference;
      expect(counts.tools).toBeGreaterThan(10);
      expect(JSON.parse(stdout)).toEqual({
        target: target(),
        transport,
        protocolVersion,
        server,
        capabilities,
        counts,
        connectMs: expect.any(Number) as unknown,
      });
    });

    test('the library lists every tool as it was sent, and calls one', async () => {
      await using client = await connect(target());
      expect(client.state).toMatchObject({ name: 'ready', transport });
      expect(client.server).toEqual(reference.server);
      expect(await client.listTools()).toEqual(reference.tools);
      // A server of the modern era says with every result who it is.
      expect(await client.callTool('echo', { message: 'hé' })).toMatchObject({
        content: [{ type: 'text', text: 'Echo: hé' }],
      });
    });
  });

  test('tools prints every tool as it was sent', async () => {
    const { code, stdout } = await runCli(['tools', peer.url, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(reference.tools);
    // Fields that a client which knows only its own version of the protocol would drop.
    expect(reference.tools).toContainEqual(
      expect.objectContaining({ annotations: expect.anything() as unknown }),
    );

    const table = await runCli(['tools', peer.url]);
    const names = table.stdout.split('\n').map((line) => line.split(' ')[0]);
    expect(names).toEqual(expect.arrayContaining(reference.tools.map((tool) => tool.name)));
  });

  test('resources and prompts print all of them as they were sent', async () => {
    const resources = await runCli(['resources', peer.url, '--json']);
    expect(JSON.parse(resources.stdout)).toEqual(reference.resources);
    const prompts = await runCli(['prompts', peer.url, '--json']);
    expect(JSON.parse(prompts.stdout)).toEqual(reference.prompts);
  });

  test('call prints the result', async () => {
    const { code, stdout, stderr } = await runCli([
      'call',
      peer.url,
      'echo',
      'message=hi',
      '--json',
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ content: [{ type: 'text', text: 'Echo: hi' }] });
  });

  test('every step of a long-running tool reaches the library, in order', async () => {
    await using client = await connect(peer.url);
    const seen: Progress[] = [];
    const result = await client.callTool(longTask.name, longTask.arguments, {
      onProgress: (progress) => seen.push(progress),
    });
    expect(JSON.stringify(result)).toContain('Long running operation completed');
    expectEveryStep(seen.map(({ progress, total }) => `${progress}/${total}`));
  });

  test('every step of a long-running tool is shown by call', async () => {
    const args = ['call', peer.url, longTask.name, '--args', JSON.stringify(longTask.arguments)];
    const { code, stdout, stderr } = await runCli([...args, '--json', '--verbose']);
    expect(code).toBe(0);
    expect(JSON.stringify(JSON.parse(stdout))).toContain('Long running operation completed');
    const label = `${longTask.name}: `;
    const shown = stderr.split('\n').filter((line) => line.startsWith(label));
    expectEveryStep(shown.map((line) => line.slice(label.length)));
  });

  test('call saves an image and names the file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'longwire-'));
    try {
      const options = { env: { TMPDIR: directory } };
      const { code, stdout } = await runCli(['call', peer.url, 'get-tiny-image'], options);
      expect(code).toBe(0);
      const path = / saved to (\S+\.png)$/m.exec(stdout)?.[1] ?? '';
      expect(path.startsWith(directory)).toBe(true);
      const bytes = await readFile(path);
      expect(bytes.subarray(0, 8)).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
      expect(bytes.equals(reference.image)).toBe(true);
    } finally {
      await removeFolder(directory);
    }
  });

  // The only one that says so.
  if (name === 'server-everything') {
    test('no session is left behind', async () => {
      const count = (text: string): number => peer.output().split(text).length - 1;
      expect(count('Client Connected')).toBeGreaterThan(8);
      await until(() => expect(count('Client Disconnected')).toBe(count('Client Connected')));
    });
  }
});
