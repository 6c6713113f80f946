import { afterEach, describe, expect, it, vi } from 'vitest';
import { startHostileSse } from '../../../../test/support/hostile-sse.ts';
import { until } from '../../../../test/support/until.ts';
import { Call, type SharedCallOptions } from '../../src/client/call.ts';
import { CallClock } from '../../src/client/call-clock.ts';
import {
  ConnectError,
  ConnectionLostError,
  createClient,
  type ClientOptions,
  type Waiting,
  type WhenAway,
} from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { quick, runsOf, said, type Gate } from '../support/recovery.ts';
import { atTheEndOfEachTest } from '../support/streamable.ts';

const { gateTo, closeLater, serve: serveStreamable } = atTheEndOfEachTest();
const serve = async () => closeLater(await startHostileSse());

/** A client of a server that can go away; it is tried again soon, and for long. */
async function setUp(options: ClientOptions = {}) {
  const server = await serve();
  const gate = await gateTo(server);
  const retry = { firstDelayMs: 20, maxDelayMs: 50, maxAttempts: 1000, ...options.retry };
  const client = closeLater(createClient(gate.url, { name: 'market', ...options, retry }));
  await client.connect();
  return { server, gate, client };
}

async function goAway({ shut }: Gate, client: { state: { name: string } }): Promise<void> {
  shut();
  await until(() => expect(client.state.name).toBe('reconnecting'));
}

const notSent = { code: 'connection-lost', certainty: 'not-sent' };
const away = expect.stringMatching(
  /^the call of echo was given up: market is away, and is (tried again in 1 s|being tried); it had not been sent: .+; call again later, or wait for it with whenAway: 'wait' or \{ waitMs \}$/,
) as string;

describe('a call whose server is away', () => {
  it('waits, and says that it waits', async () => {
    const { gate, client } = await setUp();
    const seen: Waiting[] = [];
    client.on('waiting', (waiting) => seen.push(waiting));
    await goAway(gate, client);
    const before = Date.now();
    const own: Waiting[] = [];
    const call = client.callTool(
      'echo',
      { message: 'x' },
      { onWaiting: (waiting) => own.push(waiting) },
    );
    await until(() => expect(seen).toHaveLength(1));
    await gate.open();
    expect(await call).toEqual(said('x'));
    expect(own).toEqual(seen);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      server: 'market',
      what: 'the call of echo',
      reason: { code: expect.stringMatching(/^connect(ion-lost|-failed)$/) as string },
    });
    expect(seen[0]?.since).toBeLessThanOrEqual(before + 5);
    await client.callTool('echo', { message: 'y' });
    expect(seen).toHaveLength(1);
  });

  it('says so, too, when the server goes while it runs', async () => {
    const { server, gate, client } = await setUp();
    const seen: Waiting[] = [];
    client.on('waiting', (waiting) => seen.push(waiting));
    const call = client.callTool('hang', {}, { idempotent: true, timeoutMs: 5000 });
    const failed = failureOf(call);
    await until(() => expect(runsOf(server, 'hang')).toHaveLength(1));
    expect(seen).toEqual([]);
    gate.shut();
    await until(() => expect(seen).toHaveLength(1));
    expect(seen[0]).toMatchObject({ what: 'the call of hang', server: 'market' });
    await client.close();
    expect(await failed).toMatchObject({ code: 'closed' });
  });

  it('fails at once where it is not to wait, and the server comes back all the same', async () => {
    const { server, gate, client } = await setUp({ whenAway: 'fail' });
    await goAway(gate, client);
    const seen: Waiting[] = [];
    client.on('waiting', (waiting) => seen.push(waiting));
    const patient = client.callTool('echo', { message: 'patient' }, { whenAway: 'wait' });
    for (let i = 0; i < 3; i++) {
      const failure = await failureOf(client.callTool('echo', { message: 'urgent' }));
      expect(failure).toBeInstanceOf(ConnectionLostError);
      expect(failure).toMatchObject({ ...notSent, message: away });
    }
    expect(await failureOf(client.listTools())).toMatchObject(notSent);
    expect(await failureOf(client.readResource('a:b'))).toMatchObject(notSent);
    expect(seen.map(({ what }) => what)).toEqual(['the call of echo']);
    await gate.open();
    expect(await patient).toEqual(said('patient'));
    expect(await client.callTool('echo', { message: 'back' })).toEqual(said('back'));
    expect(runsOf(server, 'echo')).toHaveLength(2);
  });

  it('dials in the background where the connection rests', async () => {
    const { gate, client } = await setUp({ retry: { firstDelayMs: 5, maxAttempts: 1 } });
    gate.shut();
    await until(() => expect(client.state.name).toBe('resting'));
    const urgent = () => client.callTool('echo', { message: 'x' }, { whenAway: 'fail' });
    expect(await failureOf(urgent())).toMatchObject(notSent);
    await gate.open();
    // Nobody waits for that dial.
    await until(async () => expect(await urgent()).toEqual(said('x')));
  });

  it('waits for a first dial, and not for the next one', async () => {
    const gate = await gateTo(await serve());
    gate.shut();
    const retry = { firstDelayMs: 60, maxDelayMs: 60 };
    const client = closeLater(createClient(gate.url, { whenAway: 'fail', retry }));
    const [first, second] = await Promise.all([
      failureOf(client.callTool('echo')),
      failureOf(client.callTool('echo')),
    ]);
    expect(first).toBeInstanceOf(ConnectError);
    expect(first).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    expect(second).toMatchObject({ code: 'connect-failed' });
    const third = await failureOf(client.callTool('echo'));
    expect(third).toBeInstanceOf(ConnectError);
    expect(third).toMatchObject({
      code: 'connect-failed',
      certainty: 'not-sent',
      message: expect.stringContaining('the call of echo was given up: ') as string,
      tried: (first as ConnectError).tried,
    });
    await gate.open();
    await until(async () => {
      expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    });
  });

  it('waits for so long at most', async () => {
    const { server, gate, client } = await setUp({ whenAway: { waitMs: 30 } });
    await goAway(gate, client);
    expect(await failureOf(client.callTool('echo'))).toMatchObject({ ...notSent, message: away });
    const patient = client.callTool('echo', { message: 'x' }, { whenAway: { waitMs: 60_000 } });
    await gate.open();
    expect(await patient).toEqual(said('x'));
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });

  it('that was sent already waits for one dial', async () => {
    const { server, gate, client } = await setUp({ whenAway: 'fail' });
    await client.listTools();
    let holds = true;
    server.mischief.holdPost = ({ method }) =>
      holds && method === 'tools/call' ? new Promise<void>(() => {}) : undefined;
    const safe = (): Promise<unknown> =>
      client.callTool('echo', { message: 'x' }, { idempotent: true });
    const resent = safe();
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
    holds = false;
    gate.proxy.cutAll();
    expect(await resent).toEqual(said('x'));

    holds = true;
    const lost = failureOf(safe());
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(3));
    gate.shut();
    expect(await lost).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
  });
});

describe('over Streamable HTTP, where each call finds out by itself', () => {
  async function setUpStreamable(whenAway: WhenAway) {
    const server = await serveStreamable({ answers: 'json' });
    const gate = await gateTo(server);
    const client = closeLater(createClient(gate.url, { ...quick, whenAway, name: 'market' }));
    await client.connect();
    return { server, gate, client };
  }

  it('a call fails when it cannot be sent', async () => {
    const { gate, client } = await setUpStreamable('fail');
    gate.shut();
    expect(await failureOf(client.callTool('echo'))).toMatchObject(notSent);
    await gate.open();
    await until(async () => {
      expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    });
  });

  it('a call that may run twice is sent once more after 503, and a call after 429 waits', async () => {
    const { server, client } = await setUpStreamable('fail');
    const twice = { idempotent: true };
    const restarting = (times: number) => [
      { method: 'tools/call', status: 503, body: 'restarting', times },
    ];
    server.mischief.postFaults = restarting(1);
    expect(await client.callTool('echo', { message: 'x' }, twice)).toEqual(said('x'));
    server.mischief.postFaults = restarting(2);
    expect(await failureOf(client.callTool('echo', {}, twice))).toMatchObject({
      code: 'connection-lost',
      certainty: 'outcome-unknown',
      message: expect.stringContaining('was answered 503: restarting') as string,
    });
    server.mischief.postFaults = [{ method: 'tools/call', status: 429, body: 'slowly', times: 2 }];
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
  });

  it('a call that waits says so', async () => {
    const { gate, client } = await setUpStreamable('wait');
    const seen: Waiting[] = [];
    client.on('waiting', (waiting) => seen.push(waiting));
    gate.shut();
    const call = client.callTool('echo', { message: 'x' });
    await until(() => expect(seen.length).toBeGreaterThan(0));
    await gate.open();
    expect(await call).toEqual(said('x'));
    expect(seen[0]).toMatchObject({ what: 'the call of echo', server: 'market' });
  });
});

describe('the time for which a call waits', () => {
  afterEach(() => vi.useRealTimers());

  const reason = new ConnectionLostError('it went', { certainty: 'not-sent' });
  const absence = { reason, since: 0, nextTryAt: undefined, known: true };

  function callThatWaits(waitMs: number): { call: Call; ended: Promise<unknown> } {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    const timeouts = { callMs: 1000, deadlineMs: 10_000 };
    const shared: SharedCallOptions = {
      clock: new CallClock(),
      timeouts,
      onListenerError: () => {},
    };
    const call = new Call('the call of echo', { whenAway: { waitMs } }, shared);
    const ended = failureOf(call.during(new Promise(() => {})));
    return { call, ended };
  }

  it('ends when the server is back', async () => {
    const { call, ended } = callThatWaits(100);
    call.meets(absence, true);
    await vi.advanceTimersByTimeAsync(90);
    call.returned();
    await vi.advanceTimersByTimeAsync(900);
    expect(call.abandoned).toBeUndefined();
    await vi.advanceTimersByTimeAsync(100);
    expect(await ended).toMatchObject({ code: 'timeout' });
  });

  it('is no more in all, however often the server goes', async () => {
    const { call, ended } = callThatWaits(100);
    call.meets(absence, true);
    await vi.advanceTimersByTimeAsync(90);
    call.returned();
    call.meets({ ...absence, since: 1 }, true);
    await vi.advanceTimersByTimeAsync(10);
    expect(await ended).toMatchObject(notSent);
  });

  it('is not more than the call has', async () => {
    const { call, ended } = callThatWaits(5000);
    call.meets(absence, true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await ended).toMatchObject({ code: 'timeout' });
  });
});

it.each<[unknown, string]>([
  ['never', 'whenAway: "never" is none of wait, fail, { waitMs }'],
  [null, 'whenAway: null is none of wait, fail, { waitMs }'],
  [{}, 'whenAway.waitMs: is missing'],
  [{ waitMs: -1 }, 'whenAway.waitMs: -1 is not a number above 0'],
  [{ ms: 1 }, 'whenAway.ms: no such option; there are waitMs'],
])('whenAway %j is refused', async (whenAway, message) => {
  const error = new TypeError(message);
  const wrong = { whenAway: whenAway as WhenAway };
  expect(() => createClient('http://127.0.0.1:9', wrong)).toThrow(error);
  const client = createClient('http://127.0.0.1:9');
  await expect(client.callTool('echo', {}, wrong)).rejects.toThrow(error);
});
