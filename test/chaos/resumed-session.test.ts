import { describe, expect, it } from 'vitest';
import { createClient } from '@longwire/client';
import { createFaultyProxy } from '@longwire/testing';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { startChaosServer } from './chaos-server.ts';

expectNothingLeftOpen();

describe('a session of Streamable HTTP', () => {
  it('is never asked twice under one id, however often it is resumed', async () => {
    const breaches: string[] = [];
    await using server = await startChaosServer({
      transport: 'streamable-http',
      resumable: false,
      seed: 1,
      sessionLifeMs: 30_000,
      onRun: () => {},
      onBreach: (what) => breaches.push(what),
    });
    await using proxy = await createFaultyProxy({ target: server.origin, seed: 1 });
    const retry = { maxAttempts: 100, firstDelayMs: 5, maxDelayMs: 20 };
    await using client = createClient(proxy.origin + server.path, { retry });
    const resumed: boolean[] = [];
    client.on('state', (state) => {
      if (state.name === 'ready') resumed.push(state.resumed);
    });
    await client.listTools();
    for (const times of [2, 3, 4]) {
      await until(() => server.openStreams() === 1);
      proxy.refuse();
      proxy.cutAll();
      await until(() => client.state.name !== 'ready');
      await proxy.resume();
      await client.listTools();
      await until(() => resumed.length === times);
    }
    expect(resumed).toEqual([false, true, true, true]);
    expect(server.openedSessions()).toBe(1);
    expect(breaches).toEqual([]);
  });

  it('begins although the server cuts every answer', async () => {
    const runs: number[] = [];
    const breaches: string[] = [];
    await using server = await startChaosServer({
      transport: 'streamable-http',
      resumable: true,
      seed: 1,
      documentShare: 0,
      pausedShare: 1,
      onRun: (key) => runs.push(key),
      onBreach: (what) => breaches.push(what),
    });
    await using client = createClient(server.origin + server.path);
    const { content } = await client.callTool('write', {
      key: 1,
      sizeBytes: 0,
      delayMs: 0,
      steps: 0,
    });
    expect(content).toEqual([{ type: 'text', text: 'write 1 0 0 0;' }]);
    expect([runs, breaches]).toEqual([[1], []]);
  });
});
