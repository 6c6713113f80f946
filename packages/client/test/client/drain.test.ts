import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { createGroup, type Group } from '../../src/group/index.ts';
import type { CutCall, LongwireClient } from '../../src/index.ts';
import { createPool, type LongwirePool } from '../../src/pool/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { Held } from '../support/pool.ts';
import { atTheEndOfEachTest, quick, runsOf, said } from '../support/recovery.ts';

const { serve, gateTo, closeLater, client: clientOf } = atTheEndOfEachTest();

const text = (message: string) => ({ message });
const refused = (name: string) => ({
  code: 'closed',
  certainty: 'not-sent',
  message: `the call of echo was not made: ${name} is closing; it takes no more calls until close() is done; after that a call connects anew`,
});

/** A client, a pool and a group over a server that holds calls; each takes so many at a time. */
async function sources(which: 'client' | 'pool' | 'group') {
  const held = new Held();
  const server = await serve({ holdPost: held.hold });
  const gate = await gateTo(server);
  const source =
    which === 'client'
      ? clientOf(gate.url, { ...quick, name: 'one' })
      : closeLater(
          which === 'pool'
            ? createPool(gate.url, { ...quick, name: 'one', size: 2 })
            : createGroup({ a: gate.url }, { name: 'one', shared: quick, maxInFlight: 2 }),
        );
  await source.listTools();
  const echo = (message: string): Promise<unknown> => source.callTool('echo', text(message));
  return { source, server, gate, held, echo };
}

function stateOf(source: LongwireClient | LongwirePool | Group): string | undefined {
  return 'state' in source ? source.state.name : source.status()[0]?.state;
}

describe.each(['client', 'pool', 'group'] as const)('a %s that drains', (which) => {
  const atOnce = which === 'client' ? 3 : 2;

  it('lets its calls finish, takes no more, and is closed then', async () => {
    const { source, server, held, echo } = await sources(which);
    const calls = ['a', 'b', 'c'].map(echo);
    await until(() => expect(held.came).toHaveLength(atOnce));
    expect(source.isClosing).toBe(false);
    let isClosed = false;
    const cut: CutCall[] = [];
    const closed = source
      .close({ drainMs: 60_000, onCut: (call) => cut.push(call) })
      .then(() => (isClosed = true));
    expect(source.isClosing).toBe(true);
    const refusal = await failureOf(echo('d'));
    expect(refusal).toMatchObject(refused('one'));
    expect(isClosed).toBe(false);
    held.end();
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'c'].map(said));
    await closed;
    expect(cut).toEqual([]);
    expect(runsOf(server, 'echo')).toHaveLength(3);
    await until(() => expect(server.openConnections()).toBe(0));
    expect(source.isClosing).toBe(true);

    expect(await echo('again')).toEqual(said('again'));
    expect(source.isClosing).toBe(false);
  });

  it('cuts what is left when its time is over, and says which calls that were', async () => {
    const { source, server, held, echo } = await sources(which);
    const calls = ['a', 'b', 'c'].map((message) => failureOf(echo(message)));
    await until(() => expect(held.came).toHaveLength(atOnce));
    const cut: CutCall[] = [];
    await source.close({ drainMs: 20, onCut: (call) => cut.push(call) });
    const failures = await Promise.all(calls);
    for (const [i, failure] of failures.entries()) {
      const wasSent = i < atOnce;
      expect(failure).toMatchObject({
        code: 'closed',
        certainty: wasSent ? 'outcome-unknown' : 'not-sent',
        message: `the call of echo was cut: one was closed; ${
          wasSent ? 'it had been sent, so whether it ran is not known' : 'it had not been sent'
        }`,
      });
    }
    expect(cut.map(({ what }) => what)).toEqual(['a', 'b', 'c'].map(() => 'the call of echo'));
    expect(cut.filter(({ certainty }) => certainty === 'outcome-unknown')).toHaveLength(atOnce);
    expect(runsOf(server, 'echo')).toHaveLength(atOnce);
    held.end();
    expect(await echo('again')).toEqual(said('again'));
  });

  it('ends at once when it is closed again', async () => {
    const { source, held, echo } = await sources(which);
    const call = failureOf(echo('a'));
    await until(() => expect(held.came).toHaveLength(1));
    const cut: CutCall[] = [];
    const first = source.close({ drainMs: Infinity, onCut: (one) => cut.push(one) });
    await source.close();
    expect(await call).toMatchObject({ code: 'closed', certainty: 'outcome-unknown' });
    await first;
    expect(cut).toEqual([{ what: 'the call of echo', certainty: 'outcome-unknown' }]);
    held.end();
  });

  it('counts a call that waits for a server that is away', async () => {
    const { source, gate, held, echo } = await sources(which);
    held.end();
    gate.shut();
    await until(() => expect(stateOf(source)).not.toBe('ready'));
    const [a, b] = [echo('a'), echo('b')];
    const closed = source.close({ drainMs: 60_000 });
    expect(await failureOf(echo('c'))).toMatchObject({ code: 'closed' });
    await gate.open();
    expect(await Promise.all([a, b])).toEqual([said('a'), said('b')]);
    await closed;
  });

  it('is closed at once when nothing is under way, and by `await using`', async () => {
    const { source, server } = await sources(which);
    await source.close({ drainMs: Infinity });
    await until(() => expect(server.openConnections()).toBe(0));
    await source.listTools();
    await source[Symbol.asyncDispose]();
    await until(() => expect(server.openConnections()).toBe(0));
  });

  it('refuses options that are wrong, and stays open', async () => {
    const { source, held, echo } = await sources(which);
    held.end();
    for (const [options, message] of [
      [{ drainMs: -1 }, 'drainMs: -1 is not a number above 0'],
      [{ drain: 5 }, 'drain: no such option; there are drainMs, onCut; did you mean drainMs?'],
      [{ onCut: 5 }, 'onCut: not a function'],
    ] as const) {
      await expect(source.close(options as object)).rejects.toThrow(new TypeError(message));
    }
    expect(await echo('a')).toEqual(said('a'));
  });
});

it('a client drains what its principals ask, too, and one of them alone', async () => {
  const held = new Held();
  const server = await serve({ holdPost: held.hold });
  const client = clientOf(server.url, { ...quick, name: 'one' });
  const [ann, bob] = [client.as('ann'), client.as('bob')];
  const first = ann.callTool('echo', text('ann'));
  const second = bob.callTool('echo', text('bob'));
  await until(() => expect(held.came).toHaveLength(2));
  const annClosed = ann.close({ drainMs: 60_000 });
  expect(await failureOf(ann.callTool('echo'))).toMatchObject({ code: 'closed' });
  const closed = client.close({ drainMs: 60_000 });
  expect(await failureOf(client.callTool('echo'))).toMatchObject(refused('one'));
  expect(await failureOf(bob.callTool('echo'))).toMatchObject(refused('one'));
  expect(bob.isClosing).toBe(true);
  held.end();
  expect(await Promise.all([first, second])).toEqual([said('ann'), said('bob')]);
  await Promise.all([annClosed, closed]);
  expect(await bob.callTool('echo', text('again'))).toEqual(said('again'));

  const cut: CutCall[] = [];
  const hang = failureOf(bob.callTool('hang'));
  await until(() => expect(runsOf(server, 'hang')).toHaveLength(1));
  await client.close({ drainMs: 10, onCut: (call) => cut.push(call) });
  expect(await hang).toMatchObject({ code: 'closed', certainty: 'outcome-unknown' });
  expect(cut).toEqual([{ what: 'the call of hang', certainty: 'outcome-unknown' }]);
});

it.each(['with', 'without'])(
  'takes no call until all is closed, %s one under way',
  async (which) => {
    const held = new Held();
    const server = await serve({ holdPost: held.hold });
    const group = closeLater(
      createGroup({ a: server.url }, { lazy: true, name: 'one', shared: quick }),
    );
    const ann = group.as('ann');
    held.end();
    await ann.listTools();
    const late: Promise<unknown>[] = [];
    const askLate = (): void => void late.push(failureOf(ann.callTool('echo', text('late'))));
    // It is closing its servers by now.
    group
      .server('a')
      .as('ann')
      .on('state', ({ name }) => name === 'closed' && askLate());
    const last = which === 'with' ? ann.callTool('echo', text('last')) : said('last');
    await group.close({ drainMs: 60_000 });
    expect(await last).toEqual(said('last'));
    expect(await Promise.all(late)).toMatchObject([refused('one')]);
    // Nothing has opened a session that nobody would close.
    await until(() => expect(server.openConnections()).toBe(0));
    expect(group.server('a').stats().principals).toBe(0);
  },
);

it('a group drains what is asked of its clients, too', async () => {
  const held = new Held();
  const server = await serve({ holdPost: held.hold });
  const group = closeLater(createGroup({ a: server.url }, { shared: quick }));
  await group.listTools();
  const own = group.server('a').callTool('echo', text('own'));
  await until(() => expect(held.came).toHaveLength(1));
  const closed = group.close({ drainMs: 60_000 });
  await until(() => expect(group.server('a').isClosing).toBe(true));
  held.end();
  expect(await own).toEqual(said('own'));
  await closed;
});
