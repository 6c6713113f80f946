import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import type { Waiting } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest } from '../support/pool.ts';
import { runsOf, said } from '../support/recovery.ts';

const { serve, gateTo, pool: makePool } = atTheEndOfEachTest();

const notSent = {
  certainty: 'not-sent',
  message: expect.stringContaining('was given up') as string,
};
const retry = { firstDelayMs: 20, maxDelayMs: 50, maxAttempts: 1000 };

describe('a pool whose calls are not to wait', () => {
  it('fails at once when no target can be reached, and finds one that is back', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    gate.shut();
    const pool = makePool(gate.url, {
      whenAway: 'fail',
      ejectMs: 20,
      transport: 'streamable-http',
    });
    const echo = () => pool.callTool('echo', { message: 'x' });
    expect(await failureOf(echo())).toMatchObject({ code: 'connect-failed' });
    for (let i = 0; i < 3; i++) {
      expect(await failureOf(echo())).toMatchObject({ code: 'connect-failed', ...notSent });
    }
    await gate.open();
    await until(async () => expect(await echo()).toEqual(said('x')));
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });

  it('tries its other targets first', async () => {
    const [a, b] = [await gateTo(await serve()), await gateTo(await serve())];
    a.shut();
    const pool = makePool([a.url, b.url], { whenAway: 'fail', size: 2, retry });
    expect(await pool.callTool('echo', { message: 'x' })).toEqual(said('x'));
    b.shut();
    await a.open();
    await until(async () => {
      expect(await pool.callTool('echo', { message: 'y' })).toEqual(said('y'));
    });
  });

  it('fails while the only server reconnects, where others wait', async () => {
    const gate = await gateTo(await serve());
    const pool = makePool(gate.url, { size: 1, maxPerConnection: 5, retry });
    const seen: Waiting[] = [];
    pool.on('waiting', (waiting) => seen.push(waiting));
    const echo = (message: string, whenAway?: 'fail' | { waitMs: number }) =>
      pool.callTool('echo', { message }, { ...(whenAway && { whenAway }) });
    await echo('a');
    gate.shut();
    await until(() => expect(pool.state.name).toBe('reconnecting'));
    const patient = echo('patient');
    await until(() => expect(seen).toHaveLength(1));
    expect(seen[0]).toMatchObject({ what: 'the call of echo' });
    expect(await failureOf(echo('urgent', 'fail'))).toMatchObject(notSent);
    expect(await failureOf(echo('some', { waitMs: 10 }))).toMatchObject(notSent);
    await gate.open();
    expect(await patient).toEqual(said('patient'));
    expect(await echo('back', 'fail')).toEqual(said('back'));
  });
});
