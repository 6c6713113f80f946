import { describe, expect, it } from 'vitest';
import { descendantsOf, killAtOnce } from '../../../../test/support/process-tree.ts';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { runsOf, said } from '../support/recovery.ts';
import { stdioServer } from '../support/open-stdio.ts';
import { failureOf } from '../support/failure-of.ts';
import { eventsOf, groupsOfThisFile, latch, namesOf, statesIn, statusOf } from './support.ts';

const { serve, gateTo, closeLater, group: groupOf } = groupsOfThisFile();

/** Nobody listens here. */
const nowhere = 'http://127.0.0.1:9/sse';

it('loses nothing of two servers when the third is killed, which recovers', async () => {
  const held = latch();
  const servers = await Promise.all(
    ['a', 'b', 'c'].map(() =>
      serve({ holdPost: ({ method }) => (method === 'tools/call' ? held.opened : undefined) }),
    ),
  );
  const [a, b, c] = servers as [(typeof servers)[0], (typeof servers)[0], (typeof servers)[0]];
  const gate = await gateTo(c);
  const group = groupOf({ a: a.url, b: b.url, c: gate.url });
  expect(await namesOf(group)).toHaveLength(15);
  const events = eventsOf(group);
  const five = (name: string) =>
    ['1', '2', '3', '4', '5'].map((message) => group.callTool(`${name}__echo`, { message }));
  const [ofA, ofB] = [five('a'), five('b')];
  const ofC = five('c').map((call) => failureOf(call));
  await until(() => {
    for (const server of servers) expect(runsOf(server, 'echo')).toHaveLength(5);
  });
  expect(group.status().map(({ inFlight }) => inFlight)).toEqual([5, 5, 5]);

  gate.shut();
  for (const failure of await Promise.all(ofC)) {
    expect(failure).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
  }
  // The others are at work still, and nothing is known of them that was not known before.
  expect(group.status().map(({ inFlight }) => inFlight)).toEqual([5, 5, 0]);
  held.open();
  const expected = ['1', '2', '3', '4', '5'].map(said);
  expect(await Promise.all(ofA)).toEqual(expected);
  expect(await Promise.all(ofB)).toEqual(expected);
  expect(runsOf(a, 'echo')).toHaveLength(5);
  expect(runsOf(b, 'echo')).toHaveLength(5);

  await until(() => statusOf(group, 'c').state === 'resting');
  expect(statusOf(group, 'c')).toMatchObject({ tools: 0, lastError: { code: 'connect-failed' } });
  expect((await namesOf(group)).some((name) => name.startsWith('c__'))).toBe(false);

  await gate.open();
  await group.reconnect('c');
  expect(await group.callTool('c__echo', { message: 'back' })).toEqual(said('back'));
  expect(await namesOf(group)).toHaveLength(15);
  expect(statusOf(group, 'c')).toMatchObject({ state: 'ready', tools: 5, reconnects: 1 });
  for (const name of ['a', 'b']) {
    expect(statesIn(events, name)).not.toContain('connecting');
    expect(statusOf(group, name)).toMatchObject({
      state: 'ready',
      reconnects: 0,
      lastError: undefined,
      lastSuccessAt: expect.any(Number) as number,
    });
  }
  const story = events.filter(({ server }) => server === 'c');
  const told = story.map((event) => (event.type === 'state' ? event.state.name : event.type));
  expect(told[0]).toBe('reconnecting');
  const rested = told.indexOf('resting');
  expect(told[rested + 1]).toBe('tools-changed');
  expect(told.lastIndexOf('tools-changed')).toBeGreaterThan(told.lastIndexOf('ready'));
});

it('keeps the tools of a server that is away for a moment, and calls wait for it', async () => {
  const [a, b] = [await serve(), await serve()];
  const gate = await gateTo(b);
  const group = groupOf({ a: a.url, b: gate.url }, { shared: { retry: { firstDelayMs: 200 } } });
  expect(await namesOf(group)).toHaveLength(10);
  const events = eventsOf(group);
  gate.shut();
  await until(() => statusOf(group, 'b').state === 'reconnecting');
  expect(await namesOf(group)).toHaveLength(10);
  const call = group.callTool('b__echo', { message: 'x' });
  await gate.open();
  expect(await call).toEqual(said('x'));
  expect(events.filter(({ type }) => type === 'tools-changed')).toEqual([]);
});

it('brings a process back that was killed', async () => {
  const before = new Set(descendantsOf(process.pid));
  const group = groupOf({ a: (await serve()).url, c: stdioServer('tools') });
  await group.connect();
  const started = descendantsOf(process.pid).filter((pid) => !before.has(pid));
  expect(started).toHaveLength(1);
  const events = eventsOf(group);
  started.forEach(killAtOnce);
  await until(() => statesIn(events, 'c').includes('ready'));
  expect(await group.callTool('c__echo', { message: 'back' })).toEqual(said('back'));
  expect(statusOf(group, 'c')).toMatchObject({ reconnects: 1, state: 'ready' });
  expect(statesIn(events, 'a')).toEqual([]);
});

describe('a server that is broken when the group begins', () => {
  it('delays no other, and shows in the status', async () => {
    const group = groupOf({ a: (await serve()).url, broken: nowhere });
    const events = eventsOf(group);
    expect(await namesOf(group)).toHaveLength(5);
    await group.connect();
    expect(statusOf(group, 'broken')).toMatchObject({
      state: 'resting',
      target: nowhere,
      tools: 0,
      lastError: { code: 'connect-failed' },
    });
    expect(statesIn(events, 'broken').at(-1)).toBe('resting');
    // Its tools are not known: what there is to say is why.
    expect(await failureOf(group.callTool('broken__echo'))).toMatchObject({
      code: 'connect-failed',
    });
  });

  it('is down when it refuses the handshake', async () => {
    const c = await serve({ failOn: 'initialize' });
    const group = groupOf({ a: (await serve()).url, c: c.url });
    await group.connect();
    expect(statusOf(group, 'c')).toMatchObject({ state: 'resting', tools: 0 });
    delete c.mischief.failOn;
    await group.reconnect('c');
    expect(statusOf(group, 'c').state).toBe('ready');
  });

  it('has its tools when it comes', async () => {
    const c = await serve();
    const gate = await gateTo(c);
    gate.shut();
    const group = groupOf({ a: (await serve()).url, c: gate.url });
    const events = eventsOf(group);
    expect(await namesOf(group)).toHaveLength(5);
    await until(() => statusOf(group, 'c').state === 'resting');
    expect(events.filter(({ type }) => type === 'tools-changed')).toEqual([]);
    await gate.open();
    // Who asks for the list makes it dial, and does not wait for it.
    await group.listTools();
    await until(() =>
      events.some(({ type, server }) => type === 'tools-changed' && server === 'c'),
    );
    expect(await namesOf(group)).toHaveLength(10);
  });
});

describe('a server that is slow', () => {
  it('is not waited for beyond listMs, nor twice; its list is announced when it comes', async () => {
    const held = latch();
    const slow = await serve({
      holdPost: ({ method }) => (method === 'tools/list' ? held.opened : undefined),
    });
    const group = groupOf({ a: (await serve()).url, slow: slow.url }, { listMs: 20 });
    await group.connect();
    const events = eventsOf(group);
    const ofSlow = () => events.filter(({ server }) => server === 'slow');
    // On a busy machine the other one may be late, too, at first.
    await until(async () => expect(await namesOf(group)).toHaveLength(5));
    expect(await namesOf(group)).toHaveLength(5);
    expect(slow.messagesOf('tools/list')).toHaveLength(1);
    expect(ofSlow()).toEqual([]);
    held.open();
    await until(() => ofSlow().length === 1);
    expect(ofSlow()).toMatchObject([{ type: 'tools-changed' }]);
    expect(statusOf(group, 'slow').tools).toBe(5);
    expect(await group.callTool('slow__echo', { message: 'x' })).toEqual(said('x'));
  });

  it('is not waited for when it never answers; calls of the others go on', async () => {
    const silent = closeLater(await startHttpFixture(() => {}));
    const group = groupOf({ a: (await serve()).url, silent: silent.origin }, { listMs: 20 });
    expect(await group.callTool('a__echo', { message: 'x' })).toEqual(said('x'));
    // The call has made its list known.
    expect(await namesOf(group)).toHaveLength(5);
    expect(statusOf(group, 'silent').state).toBe('connecting');
    const controller = new AbortController();
    const connecting = failureOf(group.connect({ signal: controller.signal }));
    controller.abort();
    expect(await connecting).toMatchObject({ code: 'aborted' });
    const seeking = failureOf(group.callTool('silent__echo', {}, { timeoutMs: 10 }));
    expect(await seeking).toMatchObject({ code: 'timeout', certainty: 'not-sent' });
  });

  it('adds what it listed last when it does not list again', async () => {
    const a = await serve();
    const group = groupOf({ a: a.url, b: (await serve()).url });
    expect(await namesOf(group)).toHaveLength(10);
    a.mischief.failOn = 'tools/list';
    const events = eventsOf(group);
    expect(await namesOf(group)).toHaveLength(10);
    expect(events).toMatchObject([{ type: 'error', server: 'a', error: { code: 'server-error' } }]);
    expect(statusOf(group, 'a').lastError?.code).toBe('server-error');
  });

  it('does not count the mistake of a caller as a failure of the server', async () => {
    const a = await serve();
    const group = groupOf({ a: { target: a.url, options: { keepAlive: false } } });
    expect(await namesOf(group)).toHaveLength(5);
    const wrong = group.callTool('echo', {}, { headers: { 'bad header': 'x' } });
    await expect(wrong).rejects.toThrow(TypeError);
    expect(await namesOf(group)).toHaveLength(5);
    expect(statusOf(group, 'a').state).not.toBe('resting');
  });

  it('ends a wait by the signal', async () => {
    const a = await serve({ hangOn: 'tools/list' });
    const group = groupOf({ a: a.url });
    const controller = new AbortController();
    const listing = failureOf(group.listTools({ signal: controller.signal }));
    await until(() => expect(a.messagesOf('tools/list')).toHaveLength(1));
    controller.abort();
    expect(await listing).toMatchObject({ code: 'aborted' });
  });
});
