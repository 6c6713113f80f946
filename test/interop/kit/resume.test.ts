import { connect } from '@longwire/client';
import { createFaultyProxy } from '@longwire/testing';
import { describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../../support/open-handles.ts';
import { until } from '../../support/until.ts';
import { CALLERS, textOf } from './support/callers.ts';
import { serveKit } from './support/serve-kit.ts';

expectNothingLeftOpen();

/** Four that may run twice, and one that must not. */
const CALLS = [
  ['read', 'a'],
  ['read', 'b'],
  ['write', 'c'],
  ['read', 'd'],
  ['read', 'e'],
] as const;

describe.for(CALLERS)('%s', ([, open]) => {
  test.for(['reset', 'finish'] as const)(
    'gets all five results when its connection is cut in the middle (%s), and the write ran once',
    async (how) => {
      await using kit = await serveKit({ retryMs: 20 });
      await using proxy = await createFaultyProxy({ target: kit.origin });
      await using caller = await open(proxy.origin);
      kit.hold();
      const calls = CALLS.map(([name, key]) => caller.call(name, key));
      await until(() => kit.runs.length === CALLS.length);
      proxy.refuse();
      proxy.cutAll(how);
      // They are answered while nobody listens.
      kit.release();
      await until(() => proxy.openConnections === 0);
      await proxy.resume();
      expect(await Promise.all(calls)).toEqual(CALLS.map(([name, key]) => `${name}: ${key}`));
      expect(kit.runs.toSorted()).toEqual(CALLS.map(([, key]) => key));
      expect(await caller.call('write', 'f')).toBe('write: f');
    },
  );
});

// 2026-07-28 has no sessions: nothing knows a request again.
test("Longwire's client without a session gets what may run twice, and says that a write may have run", async () => {
  await using kit = await serveKit();
  await using proxy = await createFaultyProxy({ target: kit.origin });
  await using client = await connect(`${proxy.origin}/mcp`);
  expect(client.protocolVersion).toBe('2026-07-28');
  await client.listTools();
  kit.hold();
  const calls = CALLS.map(([name, key]) => client.callTool(name, { key }));
  await until(() => kit.runs.length === CALLS.length);
  proxy.cutAll();
  kit.release();
  const outcomes = await Promise.allSettled(calls);
  const texts = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? textOf(outcome.value) : (outcome.reason as object),
  );
  expect(texts).toMatchObject([
    'read: a',
    'read: b',
    { code: 'connection-lost', certainty: 'outcome-unknown' },
    'read: d',
    'read: e',
  ]);
  expect(kit.runs.filter((key) => key === 'c')).toHaveLength(1);
});
