import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, Held } from '../support/pool.ts';
import { runsOf, said } from '../support/recovery.ts';

const { serve, gateTo, pool: makePool } = atTheEndOfEachTest();

const notSent = { code: 'connection-lost', certainty: 'not-sent' };

describe('a circuit breaker of a pool', () => {
  it('opens when no target can be reached, and closes when one is back', async () => {
    const gates = [await gateTo(await serve()), await gateTo(await serve())];
    for (const gate of gates) gate.shut();
    const pool = makePool(
      gates.map(({ url }) => url),
      { transport: 'streamable-http', ejectMs: 5, breaker: { failures: 3, openMs: 30 } },
    );
    const seen: string[] = [];
    pool.on('breaker', ({ state }) => seen.push(state));
    for (let i = 0; i < 3; i++) {
      expect(await failureOf(pool.callTool('echo'))).toMatchObject({ code: 'connect-failed' });
    }
    expect(pool.status().breaker).toMatchObject({ state: 'open', failures: 3 });
    const failed = pool.status().targets.map((target) => target.failed);
    expect(await failureOf(pool.callTool('echo'))).toMatchObject(notSent);
    expect(pool.status().targets.map((target) => target.failed)).toEqual(failed);
    await gates[1]?.open();
    await until(async () => {
      expect(await pool.callTool('echo', { message: 'back' })).toEqual(said('back'));
    });
    expect(seen.at(-1)).toBe('closed');
    expect(pool.status().breaker).toMatchObject({ state: 'closed', failures: 0 });
  });

  it('fails the calls that wait when it opens', async () => {
    const held = new Held();
    const server = await serve({ holdPost: held.hold });
    const gate = await gateTo(server);
    const pool = makePool(gate.url, { size: 1, breaker: { failures: 3 } });
    const calls = ['a', 'b', 'c', 'd'].map((message) =>
      failureOf(pool.callTool('echo', { message })),
    );
    await until(() => expect(held.came).toEqual(['a']));
    expect(pool.status().waiting).toBe(3);
    gate.shut();
    const [first, ...others] = await Promise.all(calls);
    expect(first).toMatchObject({ certainty: 'outcome-unknown' });
    for (const failure of others) expect(failure).toMatchObject(notSent);
    expect(pool.status()).toMatchObject({ waiting: 0, breaker: { state: 'open' } });
    held.end();
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });

  it('is off by default', async () => {
    const server = await serve();
    expect(makePool(server.url).status().breaker).toBeUndefined();
    expect(makePool(server.url, { breaker: false }).status().breaker).toBeUndefined();
    expect(() => makePool(server.url, { breaker: { openMs: 0 } })).toThrow(
      new TypeError('breaker.openMs: 0 is not a number above 0'),
    );
  });
});
