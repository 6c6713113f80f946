import { connect, PROTOCOL_VERSIONS, type LongwireError } from '@longwire/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import type { Peer } from '../support/peers.ts';
import { preparePython, startPython, type PythonServerOptions } from '../support/python-servers.ts';
import { runCli } from '../support/run-cli.ts';
import { connectOfficial } from './support/official-client.ts';
import { directoryOf, tellWhatIsMissing } from './support/missing.ts';

const python = await preparePython();
expectNothingLeftOpen();

const servers: PythonServerOptions[] = (['mcp', 'fastmcp'] as const).flatMap((library) =>
  (['sse', 'stream', 'json', 'stateless'] as const).map((output) => ({ library, output })),
);

tellWhatIsMissing(python);

describe.for('missing' in python ? [] : servers)(
  'a server of the Python package $library, as $output',
  ({ library, output }) => {
    let peer: Peer;
    let reference: {
      tools: unknown;
      server: unknown;
      capabilities: unknown;
      protocolVersion: unknown;
    };
    beforeAll(async () => {
      peer = await startPython(directoryOf(python), { library, output });
      await using official = await connectOfficial(peer.url);
      const { tools } = await official.raw('tools/list');
      reference = {
        tools,
        server: official.sdk.getServerVersion(),
        capabilities: official.sdk.getServerCapabilities(),
        protocolVersion: official.sdk.getNegotiatedProtocolVersion(),
      };
      expect(reference.protocolVersion).toBe(output === 'sse' ? '2025-11-25' : '2026-07-28');
    });
    afterAll(() => peer.stop());
    const transport = output === 'sse' ? 'sse' : 'streamable-http';

    test.for([
      ['its endpoint', ''],
      ['its origin', '..'],
    ] as const)('named by %s, is inspected, and no tool is called', async ([, path]) => {
      const target = new URL(path, peer.url).href;
      const { code, stdout, stderr } = await runCli(['inspect', target, '--json']);
      expect([code, stderr]).toEqual([0, '']);
      const { tools: _, ...expected } = reference;
      expect(JSON.parse(stdout)).toEqual({
        target,
        transport,
        ...expected,
        counts: { tools: 4, resources: 1, resourceTemplates: 0, prompts: 0 },
        connectMs: expect.any(Number) as unknown,
      });
      await using client = await connect(target);
      const { content } = await client.callTool('called');
      expect(content).toEqual([{ type: 'text', text: '' }]);
    });

    test('is listed and called as the official client does', async () => {
      await using client = await connect(peer.url);
      expect(client.state).toMatchObject({ name: 'ready', transport });
      expect(await client.listTools()).toEqual(reference.tools);
      const texts = Array.from({ length: 10 }, (_, i) => `hé ${i}`);
      const calls = texts.map((message) => client.callTool('echo', { message }));
      for (const [i, { content }] of (await Promise.all(calls)).entries()) {
        expect(content).toMatchObject([{ type: 'text', text: `Echo: hé ${i}` }]);
      }
      expect(await client.readResource('note://one')).toMatchObject({
        contents: [{ text: 'a note' }],
      });
      expect(client.stats().droppedAnswers).toBe(0);
    });

    test('asks a program that can be asked, or says what would help', async () => {
      const elicitation = () => ({ action: 'accept' as const, content: { name: 'me' } });
      await using client = await connect(peer.url, { handlers: { elicitation } });
      expect(client.protocolVersion).toBe(output === 'stateless' ? '2026-07-28' : '2025-11-25');
      // Where answers are JSON, these libraries have no room for a question.
      if (output === 'sse' || output === 'stream') {
        const { content } = await client.callTool('ask');
        expect(content).toEqual([{ type: 'text', text: 'accept me' }]);
        return;
      }
      const told: string[] = [];
      client.on('error', ({ message }) => told.push(message));
      const met = await client.callTool('ask').then(
        ({ isError }) => [isError, ...told],
        ({ certainty, message }: LongwireError) => [certainty === 'answered', message],
      );
      expect(met).toEqual([true, expect.stringContaining("protocol: '2025-11-25'")]);
    });

    test('speaks the version that is named', async () => {
      for (const protocol of PROTOCOL_VERSIONS) {
        const isThere = output !== 'sse' || protocol !== '2026-07-28';
        const spoken = await connect(peer.url, { protocol }).then(
          async (client) => {
            await using _ = client;
            const { content } = await client.callTool('echo', { message: 'x' });
            expect(content).toMatchObject([{ text: 'Echo: x' }]);
            return client.protocolVersion;
          },
          ({ code }: LongwireError) => code,
        );
        expect(spoken).toBe(isThere ? protocol : 'not-mcp');
      }
    });

    test('is called from the command line', async () => {
      const tools = await runCli(['tools', peer.url, '--json']);
      expect(JSON.parse(tools.stdout)).toEqual(reference.tools);
      const call = await runCli(['call', peer.url, 'echo', 'message=hi', '--json']);
      expect([call.code, call.stderr]).toEqual([0, '']);
      expect(JSON.parse(call.stdout)).toMatchObject({ content: [{ text: 'Echo: hi' }] });
    });

    test('tells its progress, where the answer has room for it', async () => {
      await using client = await connect(peer.url);
      const seen: number[] = [];
      await client.callTool('steps', {}, { onProgress: ({ progress }) => seen.push(progress) });
      expect(seen).toEqual(output === 'json' ? [] : [1, 2, 3]);
    });
  },
);
