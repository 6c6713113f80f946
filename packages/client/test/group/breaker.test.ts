import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import type { BreakerStatus } from '../../src/group/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { quick, runsOf, said } from '../support/recovery.ts';
import { groupsOfThisFile, latch, statusOf } from './support.ts';

const { serve, gateTo, group: groupOf } = groupsOfThisFile();

const nowhere = 'http://127.0.0.1:9/sse';
const notSent = { code: 'connection-lost', certainty: 'not-sent' };

describe('a circuit breaker of a group', () => {
  it('is not there unless it is asked for', async () => {
    const group = groupOf({ a: nowhere });
    for (let i = 0; i < 10; i++) {
      expect(await failureOf(group.callTool('a__echo'))).toMatchObject({ code: 'connect-failed' });
    }
    expect(statusOf(group, 'a').breaker).toBeUndefined();
  });

  it('opens for principals, whose tools are not known yet, and closes when one is answered', async () => {
    const gate = await gateTo(await serve());
    const group = groupOf(
      { a: { target: gate.url, lazy: true } },
      { breaker: { failures: 3, openMs: 40 } },
    );
    const callAs = (user: string): Promise<unknown> =>
      group.as(user).callTool('a__echo', { message: user });
    gate.shut();
    for (const user of ['ann', 'bob', 'cat']) {
      expect(await failureOf(callAs(user))).toMatchObject({ code: 'connect-failed' });
    }
    expect(statusOf(group, 'a').breaker).toMatchObject({ state: 'open', failures: 3 });
    expect(await failureOf(callAs('dan'))).toMatchObject(notSent);
    await gate.open();
    await until(async () => expect(await callAs('eve')).toEqual(said('eve')));
    expect(statusOf(group, 'a').breaker).toMatchObject({ state: 'closed' });
  });

  it('open, is asked before the list of a tool that is not known', async () => {
    const gate = await gateTo(await serve());
    gate.shut();
    const group = groupOf(
      { a: { target: gate.url, lazy: true } },
      { breaker: { failures: 1, openMs: 60_000 } },
    );
    expect(await failureOf(group.callTool('a__echo'))).toMatchObject({ code: 'connect-failed' });
    expect(statusOf(group, 'a').breaker).toMatchObject({ state: 'open' });
    await gate.open();
    const { acceptedConnections } = gate.proxy;
    expect(await failureOf(group.callTool('a__echo'))).toMatchObject({
      ...notSent,
      message: expect.stringContaining('the breaker of a is open') as string,
    });
    expect(gate.proxy.acceptedConnections).toBe(acceptedConnections);
  });

  it('closes by the list of a tool that was not known', async () => {
    const gate = await gateTo(await serve());
    gate.shut();
    const group = groupOf(
      { a: { target: gate.url, lazy: true } },
      { breaker: { failures: 1, openMs: 20 } },
    );
    expect(await failureOf(group.callTool('a__echo'))).toMatchObject({ code: 'connect-failed' });
    await gate.open();
    await until(async () =>
      expect(await group.callTool('a__echo', { message: 'x' })).toEqual(said('x')),
    );
    expect(statusOf(group, 'a').breaker).toMatchObject({ state: 'closed', failures: 0 });
  });

  it('opens while calls wait: those fail at once, and it closes when the server is back', async () => {
    const held = latch();
    const server = await serve({
      holdPost: ({ method }) => (method === 'tools/call' ? held.opened : undefined),
    });
    const gate = await gateTo(server);
    const group = groupOf(
      { a: gate.url, b: (await serve()).url },
      { breaker: { failures: 4, openMs: 40 }, maxInFlight: 2 },
    );
    await group.listTools();
    const seen: BreakerStatus[] = [];
    group.on('breaker', ({ server: name, breaker }) => {
      expect(name).toBe('a');
      seen.push(breaker);
    });
    const calls = Array.from({ length: 6 }, (_, i) =>
      failureOf(group.callTool('a__echo', { message: `${i}` })),
    );
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(2));
    expect(statusOf(group, 'a')).toMatchObject({ inFlight: 2, waiting: 4 });

    // The first two were sent. The next two wait for the server, the last two for these.
    gate.shut();
    const failures = await Promise.all(calls);
    for (const failure of failures.slice(0, 2)) {
      expect(failure).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    }
    for (const [i, failure] of failures.slice(2).entries()) {
      expect(failure).toMatchObject(notSent);
      expect(failure).toMatchObject({
        message: expect.stringMatching(
          /^the call of a__echo was not made: the breaker of a is open after 4 failures in a row, the last of them: .+; the server is tried in 1 s; call again later, or change breaker\.failures or breaker\.openMs$/,
        ) as string,
        cause: expect.objectContaining({ code: 'connect-failed' }) as unknown,
      });
      expect(i).toBeLessThan(4);
    }
    expect(seen.map(({ state }) => state)).toEqual(['open']);
    expect(statusOf(group, 'a')).toMatchObject({
      inFlight: 0,
      waiting: 0,
      breaker: { state: 'open', failures: 4, lastError: { code: 'connect-failed' } },
    });
    // The other server has a breaker of its own.
    expect(await group.callTool('b__echo', { message: 'x' })).toEqual(said('x'));
    expect(statusOf(group, 'b').breaker).toMatchObject({ state: 'closed', failures: 0 });

    held.open();
    await gate.open();
    await until(async () => {
      expect(await group.callTool('a__echo', { message: 'back' })).toEqual(said('back'));
    });
    expect(seen.at(-1)).toMatchObject({ state: 'closed', failures: 0 });
    expect(statusOf(group, 'a').breaker).toMatchObject({ state: 'closed', failures: 0 });
    expect(runsOf(server, 'echo')).toHaveLength(3);
  });

  it('lets one call at a time try the server, and the others fail', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const group = groupOf({ a: gate.url }, { breaker: { failures: 1, openMs: 20 }, lazy: true });
    await group.listTools();
    gate.shut();
    await until(() => expect(statusOf(group, 'a').breaker).toMatchObject({ state: 'open' }));
    await gate.open();
    await group.server('a').listTools();
    const held = latch();
    server.mischief.holdPost = ({ method }) => (method === 'tools/call' ? held.opened : undefined);
    await until(() => expect(statusOf(group, 'a').breaker?.nextTryMs).toBe(0));
    const probe = group.callTool('echo', { message: 'probe' });
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
    expect(await failureOf(group.callTool('echo'))).toMatchObject({
      ...notSent,
      message: expect.stringContaining('is half-open') as string,
    });
    held.open();
    expect(await probe).toEqual(said('probe'));
    expect(await group.callTool('echo', { message: 'after' })).toEqual(said('after'));
  });

  it('stays closed for what the program and the tools cause', async () => {
    const server = await serve();
    const group = groupOf({ a: server.url }, { breaker: { failures: 1 } });
    await group.listTools();
    await group.callTool('fail');
    await failureOf(group.callTool('echo', {}, { signal: AbortSignal.abort() }));
    await failureOf(group.callTool('no-such-tool'));
    await failureOf(group.callTool('hang', {}, { timeoutMs: 5 }));
    await failureOf(group.callTool('hang', {}, { deadlineMs: 5 }));
    expect(statusOf(group, 'a').breaker).toMatchObject({ state: 'closed', failures: 0 });
  });

  it('opens for a server that does not answer within the limits for every call', async () => {
    const server = await serve();
    const shared = { ...quick, timeouts: { callMs: 250 } };
    const group = groupOf({ a: server.url }, { shared, breaker: { failures: 2 } });
    await group.listTools();
    for (let i = 0; i < 2; i++) {
      expect(await failureOf(group.callTool('hang'))).toMatchObject({ code: 'timeout' });
    }
    expect(await failureOf(group.callTool('echo'))).toMatchObject(notSent);
    expect(runsOf(server, 'echo')).toHaveLength(0);
  });

  it.each([
    [{ failures: 0 }, 'breaker.failures: 0 is not a whole number from 1, or Infinity'],
    [{ openMs: -1 }, 'breaker.openMs: -1 is not a number above 0'],
    [{ open: 1 }, 'breaker.open: no such option; there are failures, openMs; did you mean openMs?'],
    [true, 'breaker: not an object'],
  ])('refuses %j', (breaker, message) => {
    expect(() => groupOf({ a: nowhere }, { breaker: breaker as object })).toThrow(
      new TypeError(message),
    );
  });
});
