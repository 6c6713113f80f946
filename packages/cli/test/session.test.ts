import type { ClientOptions } from '@longwire/client';
import { describe, expect, it, vi } from 'vitest';
import type { Context } from '../src/context.ts';
import { Redactor } from '../src/redact.ts';
import { createTargetClient } from '../src/target-client.ts';

const createClient = vi.hoisted(() => vi.fn());
vi.mock('@longwire/client', async (original) => ({ ...(await original<object>()), createClient }));

describe('connecting', () => {
  it.each([
    [{}, 30_000],
    [{ timeoutMs: 500 }, 500],
    [{ timeoutMs: 45_000 }, 45_000],
    [{ deadlineMs: 3000 }, 3000],
    [{ deadlineMs: 60_000 }, 30_000],
    [{ timeoutMs: 45_000, deadlineMs: 20_000 }, 20_000],
  ])('with %j may take %d ms', (limits, connectMs) => {
    const options = { headers: {}, ...limits };
    const [redactor, requests] = [new Redactor(), {}];
    const context = { environment: {}, env: {}, options, redactor, requests };
    createTargetClient(context as unknown as Context, 'http://h:1/sse');
    const given = createClient.mock.lastCall?.[1] as ClientOptions;
    expect(given.timeouts).toEqual({ connectMs });
    expect(given.name).toBe('h:1');
  });

  it.each([
    [{}, 60_000],
    [{ timeoutMs: 500 }, 500],
    [{ deadlineMs: 3000 }, 3000],
  ])('to what has to be started first, with %j, may take %d ms', (limits, connectMs) => {
    const options = { headers: {}, ...limits };
    const target = { command: '/usr/bin/npx', args: ['server'] };
    createTargetClient({ options } as unknown as Context, target);
    expect(createClient.mock.lastCall).toEqual([
      target,
      expect.objectContaining({ name: 'npx', timeouts: { connectMs } }),
    ]);
    // No request of HTTP goes out, so there is nothing that the key could go with.
    expect(createClient.mock.lastCall?.[1]).not.toHaveProperty('headers');
  });
});
