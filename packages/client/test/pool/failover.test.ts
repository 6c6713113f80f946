import { describe, expect, it } from 'vitest';
import { startHostileSse } from '../../../../test/support/hostile-sse.ts';
import { until } from '../../../../test/support/until.ts';
import { ConnectError } from '../../src/index.ts';
import type { LongwirePool } from '../../src/pool/index.ts';
import { runsOf, said } from '../support/recovery.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, Held, targetsOf } from '../support/pool.ts';

const { serve, gateTo, closeLater, pool: makePool } = atTheEndOfEachTest();

const echo = (pool: LongwirePool, message: string) => pool.callTool('echo', { message });
const transport = 'streamable-http' as const;

describe('a pool whose server goes away', () => {
  it('replaces a connection that was lost, and the call on it says what is known', async () => {
    const server = closeLater(await startHostileSse());
    const pool = makePool(server.url, { size: 2, retry: { maxAttempts: 0 } });
    const hang = failureOf(pool.callTool('hang'));
    await until(() => expect(runsOf(server, 'hang')).toHaveLength(1));
    expect(await echo(pool, 'a')).toEqual(said('a'));
    expect(targetsOf(pool)[0]).toMatchObject({ busy: 1, idle: 1 });
    server.cut();
    expect(await hang).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    await until(() => expect(targetsOf(pool)[0]).toMatchObject({ busy: 0, idle: 0, failed: 2 }));
    expect(targetsOf(pool)[0].lastError).toMatchObject({ code: 'connection-lost' });
    expect(pool.state).toMatchObject({ name: 'resting' });
    expect(await echo(pool, 'b')).toEqual(said('b'));
    expect(server.openedSessions()).toBe(3);
    expect(targetsOf(pool)[0]).toMatchObject({ idle: 1, ejectedMs: 0 });
  });

  it('waits for the only server as a client does', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const pool = makePool(gate.url, { size: 2, retry: { firstDelayMs: 20, maxAttempts: 100 } });
    await echo(pool, 'a');
    gate.shut();
    await until(() => expect(server.openConnections()).toBe(0));
    const calls = ['b', 'c', 'd'].map((message) => echo(pool, message));
    await until(() => expect(pool.state.name).toBe('reconnecting'));
    await gate.open();
    expect(await Promise.all(calls)).toEqual(['b', 'c', 'd'].map(said));
    expect(targetsOf(pool)[0]).toMatchObject({ idle: 2, failed: 0 });
  });

  it('fails all that wait when the only server cannot be reached', async () => {
    const gate = await gateTo(await serve());
    gate.shut();
    const pool = makePool(gate.url, { size: 2, transport });
    const failures = ['a', 'b', 'c', 'd', 'e'].map((message) => failureOf(echo(pool, message)));
    for (const failure of await Promise.all(failures)) {
      expect(failure).toBeInstanceOf(ConnectError);
      expect(failure).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    }
    expect(targetsOf(pool)[0]).toMatchObject({ failed: 2, lastError: { code: 'connect-failed' } });
    expect(pool.status().waiting).toBe(0);
    expect(pool.state.name).toBe('resting');

    expect(await failureOf(echo(pool, 'again'))).toBeInstanceOf(ConnectError);
    expect(targetsOf(pool)[0].failed).toBe(3);
    await gate.open();
    expect(await echo(pool, 'back')).toEqual(said('back'));
    expect(targetsOf(pool)[0].ejectedMs).toBe(0);
  });

  it('uses fewer connections where the server accepts no more', async () => {
    const held = new Held();
    const server = await serve({ holdPost: held.hold });
    const pool = makePool(server.url, { size: 3, transport });
    const first = echo(pool, 'a');
    await until(() => expect(held.came).toEqual(['a']));
    server.mischief.postFaults = [{ method: 'initialize', status: 400, body: 'one is enough' }];
    const others = ['b', 'c', 'd'].map((message) => echo(pool, message));
    await until(() => expect(targetsOf(pool)[0].failed).toBeGreaterThan(0));
    await until(() => expect(pool.status().waiting).toBe(3));
    held.end();
    expect(await Promise.all([first, ...others])).toEqual(['a', 'b', 'c', 'd'].map(said));
    expect(server.openedSessions()).toBe(1);
  });
});

describe('a pool of two servers', () => {
  it('balances them, one after the other and at a time', async () => {
    const held = new Held();
    const servers = [await serve(), await serve()];
    const pool = makePool(servers.map(({ url }) => url));
    for (const message of ['a', 'b', 'c', 'd']) await echo(pool, message);
    expect(servers.map((server) => runsOf(server, 'echo').length)).toEqual([2, 2]);
    for (const { mischief } of servers) mischief.holdPost = held.hold;
    const calls = Array.from({ length: 6 }, (_, i) => echo(pool, `${i}`));
    await until(() => expect(held.came).toHaveLength(4));
    expect(targetsOf(pool)).toMatchObject([{ busy: 2 }, { busy: 2 }]);
    held.end();
    await Promise.all(calls);
    expect(servers.map((server) => server.openedSessions())).toEqual([2, 2]);
  });

  it('gives each target its share of what one had alone', async () => {
    const held = new Held();
    const [one, two] = [await serve({ holdPost: held.hold }), await serve()];
    const gate = await gateTo(two);
    gate.shut();
    const pool = makePool([one.url, gate.url], { transport, ejectMs: 20 });
    const calls = Array.from({ length: 4 }, (_, i) => echo(pool, `${i}`));
    await until(() => expect(held.came).toHaveLength(4));
    expect(one.openedSessions()).toBe(4);
    held.end();
    await Promise.all(calls);
    await gate.open();
    await until(async () => {
      await Promise.all(['w', 'x', 'y', 'z'].map((message) => echo(pool, message)));
      expect(two.openedSessions()).toBe(2);
    });
    expect(targetsOf(pool)).toMatchObject([{ idle: 2 }, { idle: 2 }]);
  });

  it('loses no call when one cannot be reached, and ejects it for a time', async () => {
    const server = await serve();
    const dead = await gateTo(await serve());
    dead.shut();
    const pool = makePool([dead.url, server.url], { transport });
    for (const message of ['a', 'b', 'c']) expect(await echo(pool, message)).toEqual(said(message));
    const both = await Promise.all([echo(pool, 'd'), echo(pool, 'e')]);
    expect(both).toEqual([said('d'), said('e')]);
    const [left, right] = targetsOf(pool);
    expect(left).toMatchObject({ failed: 1, idle: 0, lastError: { code: 'connect-failed' } });
    expect(left.ejectedMs).toBeGreaterThan(0);
    expect(right).toMatchObject({ failed: 0, ejectedMs: 0 });
  });

  it('uses one again after a call has reached it', async () => {
    const [one, two] = [await serve(), await serve()];
    const gate = await gateTo(one);
    gate.shut();
    const pool = makePool([gate.url, two.url], { transport, ejectMs: 10 });
    await echo(pool, 'a');
    expect(targetsOf(pool)[0].failed).toBe(1);
    await until(async () => {
      await echo(pool, 'b');
      expect(targetsOf(pool)[0].failed).toBeGreaterThan(2);
    });
    await gate.open();
    await until(async () => {
      await echo(pool, 'c');
      expect(one.openedSessions()).toBe(1);
    });
    expect(targetsOf(pool)[0].ejectedMs).toBe(0);
    expect(two.openedSessions()).toBe(1);
  });

  it.each([5, 600_000])(
    'moves what could not be sent, where it would be sent again after %i ms',
    async (firstDelayMs) => {
      const [one, two] = [await serve(), await serve()];
      const gate = await gateTo(one);
      const pool = makePool([gate.url, two.url], { retry: { firstDelayMs } });
      await echo(pool, 'a');
      await echo(pool, 'b');
      expect(targetsOf(pool)).toMatchObject([{ idle: 1 }, { idle: 1 }]);
      gate.shut();
      await until(() => expect(one.openConnections()).toBe(0));
      for (const message of ['c', 'd', 'e']) {
        expect(await echo(pool, message)).toEqual(said(message));
      }
      expect(runsOf(one, 'echo')).toHaveLength(1);
      expect(runsOf(two, 'echo')).toHaveLength(4);
      expect(targetsOf(pool)[0].failed).toBeLessThanOrEqual(2);
    },
  );

  it('moves what waits for a connection that was lost and does not come back at once', async () => {
    const one = closeLater(await startHostileSse());
    const two = closeLater(await startHostileSse());
    const pool = makePool([one.url, two.url], {
      retry: { firstDelayMs: 600_000, maxDelayMs: 600_000 },
    });
    for (const message of ['a', 'b']) await echo(pool, message);
    one.cut();
    await until(() => expect(one.openStreams()).toBe(0));
    for (const message of ['c', 'd', 'e', 'f']) {
      expect(await echo(pool, message)).toEqual(said(message));
    }
  });

  it('moves nothing that may have run', async () => {
    const [one, two] = [await serve(), await serve()];
    const gate = await gateTo(one);
    const pool = makePool([gate.url, two.url]);
    const hang = failureOf(pool.callTool('hang'));
    await until(() => expect(runsOf(one, 'hang')).toHaveLength(1));
    gate.shut();
    expect(await hang).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(runsOf(two, 'hang')).toHaveLength(0);
  });

  it('tries the one whose ejection ends first when both are ejected', async () => {
    const gates = [await gateTo(await serve()), await gateTo(await serve())];
    for (const gate of gates) gate.shut();
    const pool = makePool(
      gates.map(({ url }) => url),
      { transport },
    );
    expect(await failureOf(echo(pool, 'a'))).toBeInstanceOf(ConnectError);
    expect(targetsOf(pool)).toMatchObject([{ failed: 1 }, { failed: 1 }]);
    await gates[1]?.open();
    expect(await echo(pool, 'b')).toEqual(said('b'));
    expect(targetsOf(pool)).toMatchObject([{ failed: 2 }, { failed: 1, idle: 1, ejectedMs: 0 }]);
  });
});
