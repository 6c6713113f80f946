import { connect } from '@longwire/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModernServer, startModernServer } from '../support/modern-server.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { runCli } from '../support/run-cli.ts';
import { connectOfficial } from './support/official-client.ts';

expectNothingLeftOpen();

// One that refuses what came before 2026-07-28, and one that serves it, too.
describe.for(['reject', 'stateless'] as const)('a server of 2026-07-28, legacy: %s', (legacy) => {
  let server: ModernServer;
  let tools: unknown;
  beforeAll(async () => {
    server = await startModernServer({ legacy });
    await using official = await connectOfficial(server.url);
    expect(official.sdk.getProtocolEra()).toBe('modern');
    ({ tools } = await official.raw('tools/list'));
  });
  afterAll(() => server.close());

  describe.for([
    ['its endpoint', ''],
    ['its origin', '..'],
  ] as const)('named by %s', ([, path]) => {
    const target = (): string => new URL(path, server.url).href;

    test('inspect says what it is, and calls nothing', async () => {
      const { code, stdout, stderr } = await runCli(['inspect', target(), '--json']);
      expect([code, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toEqual({
        target: target(),
        transport: 'streamable-http',
        protocolVersion: '2026-07-28',
        server: { name: 'modern', version: '1.0.0' },
        capabilities: {
          logging: {},
          resources: { subscribe: true, listChanged: true },
          tools: { listChanged: true },
        },
        counts: { tools: 5, resources: 1, resourceTemplates: 0, prompts: 0 },
        connectMs: expect.any(Number) as unknown,
      });
      expect(server.calls).toEqual([]);
    });

    test('tools prints every tool as it was sent', async () => {
      const { code, stdout } = await runCli(['tools', target(), '--json']);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual(tools);
      expect(server.calls).toEqual([]);
    });

    test('call prints the result', async () => {
      const run = await runCli(['call', target(), 'echo', 'message=hé', '--json']);
      expect([run.code, run.stderr]).toEqual([0, '']);
      expect(JSON.parse(run.stdout)).toMatchObject({ content: [{ type: 'text', text: 'hé' }] });
      expect(server.calls.splice(0)).toEqual(['echo']);
    });

    test('call shows progress, and passes an argument on in a header', async () => {
      const steps = await runCli(['call', target(), 'steps', '--verbose']);
      expect(steps.code).toBe(0);
      for (const step of ['1/3', '2/3', '3/3']) expect(steps.stderr).toContain(`steps: ${step}`);
      const region = await runCli(['call', target(), 'region', 'where=Köln', '--json']);
      expect(region.code).toBe(0);
      expect(server.regions.splice(0)).toHaveLength(1);
      expect(server.calls.splice(0)).toEqual(['steps', 'region']);
    });
  });

  test('the result is right for every way to ask', async () => {
    for (const transport of [undefined, 'streamable-http'] as const) {
      await using client = await connect(server.url, transport && { transport });
      expect(client.state).toMatchObject({ name: 'ready', transport: 'streamable-http' });
      expect(client.sdk.getProtocolEra()).toBe('modern');
    }
    expect(server.calls).toEqual([]);
  });
});
