import { healthHandler, createGroup } from '@longwire/client/group';
import { createFaultyProxy } from '@longwire/testing';
import { describe, expect, it } from 'vitest';
import { startEverything } from '../support/peers.ts';
import { until } from '../support/until.ts';

// The official server of the protocol's authors, behind a proxy that takes it away.
describe.each(['sse', 'streamableHttp'] as const)('server-everything over %s', (mode) => {
  it('is failed fast while it is away, found when it is back, and drained', async () => {
    await using peer = await startEverything({ mode });
    const proxy = await createFaultyProxy({ target: peer.url });
    try {
      const group = createGroup(
        { every: proxy.origin + new URL(peer.url).pathname },
        {
          shared: { whenAway: 'fail', retry: { firstDelayMs: 20, maxDelayMs: 50 } },
          breaker: { failures: 3, openMs: 50 },
        },
      );
      const ready = (): number => healthHandler(group)(new Request('http://pod/readyz')).status;
      await group.listTools();
      expect(ready()).toBe(200);
      const echo = (message: string): Promise<unknown> => group.callTool('echo', { message });

      proxy.refuse();
      proxy.cutAll();
      await until(async () => {
        await expect(echo('gone')).rejects.toMatchObject({ certainty: 'not-sent' });
        expect(group.status()[0]?.breaker?.state).not.toBe('closed');
      });
      await until(() => expect(ready()).toBe(503));

      await proxy.resume();
      await until(async () => expect(JSON.stringify(await echo('back'))).toContain('back'));
      expect(ready()).toBe(200);

      let hasBegun = false;
      const long = group.callTool(
        'trigger-long-running-operation',
        { duration: 1, steps: 4 },
        { onProgress: () => (hasBegun = true) },
      );
      await until(() => hasBegun);
      const cut: string[] = [];
      const closed = group.close({ drainMs: 30_000, onCut: ({ what }) => cut.push(what) });
      await expect(echo('late')).rejects.toMatchObject({ code: 'closed', certainty: 'not-sent' });
      expect(JSON.stringify(await long)).toMatch(/completed/i);
      await closed;
      expect(cut).toEqual([]);
      expect(ready()).toBe(503);
    } finally {
      await proxy.close();
    }
  });
});
