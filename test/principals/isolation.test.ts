import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createClient, type ClientOptions, type LongwireClient } from '@longwire/client';
import { createGroup } from '@longwire/client/group';
import { cache, tokenRefresh } from '@longwire/client/middleware';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { PEERS, type Peer } from './peers.ts';
import { tokenOf } from './user-server.ts';

expectNothingLeftOpen();

/** How long the histories of one server may take together; more of them are run where the machine is faster. */
const TIME_MS = 4000;
/** Long enough for a process to start where the machine is busy: nothing waits for longer than others need. */
const CALL_MS = 10_000;
/** How many results there are to be of each server, however slow the machine is. */
const MIN_RESULTS = 20;
const USERS = ['alice', 'bob', 'carol'];

const step = fc.record({
  user: fc.constantFrom(...USERS),
  do: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom('who', 'own', 'note', 'steps', 'stream', 'list', 'read'),
    },
    { weight: 1, arbitrary: fc.constantFrom('listen', 'follow', 'unfollow', 'touch', 'level') },
    { weight: 1, arbitrary: fc.constantFrom('expire', 'cut', 'close', 'idle', 'settle') },
  ),
});

const histories = fc.record({
  holder: fc.constantFrom('view', 'option', 'group'),
  way: fc.constantFrom('token', 'function', 'refresh'),
  isCached: fc.boolean(),
  maxSessions: fc.constantFrom(1, 2, 1000, 1000),
  steps: fc.array(step, { minLength: 10, maxLength: 50 }),
});
type History = typeof histories extends fc.Arbitrary<infer T> ? T : never;

/** Runs a history; gives what a user got that names another, and how much there was to see. */
async function run(
  peer: Peer,
  history: History,
): Promise<{ crossed: string[]; results: number; notifications: number }> {
  const crossed: string[] = [];
  const numbers = new Map(USERS.map((user) => [user, 1]));
  let results = 0;
  let notifications = 0;
  const refresh = tokenRefresh({
    provider: ({ principal = 'nobody' }) => tokenOf(principal, numbers.get(principal)),
  });
  const shared: ClientOptions = {
    ...peer.options,
    retry: { firstDelayMs: 1, maxDelayMs: 5 },
    timeouts: { callMs: CALL_MS },
    principals: { maxSessions: history.maxSessions, idleMs: 20 },
    middleware: [
      ...(history.way === 'refresh' ? [refresh] : []),
      ...(history.isCached ? [cache({ tools: { who: true, own: true, note: true } })] : []),
    ],
  };
  const client = createClient(peer.target, shared);
  const group = createGroup({ one: client }, { lazy: true });
  const credentialsOf = (user: string): object => {
    if (!peer.hasTokens || history.way === 'refresh') return {};
    if (history.way === 'token') return { token: tokenOf(user, numbers.get(user)) };
    return { token: () => tokenOf(user, numbers.get(user)) };
  };
  const principalOf = (user: string) => ({ principal: { id: user, ...credentialsOf(user) } });
  const as = (user: string): LongwireClient => client.as(user, credentialsOf(user));
  const see = (user: string, what: unknown): void => {
    const text = JSON.stringify(what);
    for (const other of USERS) {
      if (other !== user && text.includes(other)) crossed.push(`${user} got ${text}`);
    }
  };
  const call = (user: string, tool: string): Promise<unknown> => {
    const onProgress = (progress: unknown): void => see(user, progress);
    const args = peer.hasTokens ? {} : { user };
    if (history.holder === 'view') return as(user).callTool(tool, args, { onProgress });
    if (history.holder === 'option') {
      return client.callTool(tool, args, { ...principalOf(user), onProgress });
    }
    return group.as(user, credentialsOf(user)).callTool(tool, args, { onProgress });
  };
  const stream = async (user: string): Promise<unknown> => {
    const args = peer.hasTokens ? {} : { user };
    const events: unknown[] = [];
    const stream =
      history.holder === 'option'
        ? client.stream('steps', args, principalOf(user))
        : as(user).stream('steps', args);
    for await (const event of stream) events.push(event);
    return events;
  };
  const stops: (() => void)[] = [];
  const followers: string[] = [];
  /** Nobody may keep a session that others wait for. */
  let isSettling = false;
  const listen = (user: string): void => {
    const listener = (notification: unknown): void => {
      notifications++;
      see(user, notification);
    };
    const stop =
      history.holder === 'group'
        ? group.as(user, credentialsOf(user)).on('notification', listener)
        : as(user).on('notification', listener);
    stops.push(stop);
  };
  const operations: Record<string, (user: string) => Promise<unknown>> = {
    who: (user) => call(user, 'who'),
    own: (user) => call(user, 'own'),
    note: (user) => call(user, 'note'),
    steps: (user) => call(user, 'steps'),
    stream,
    list: (user) =>
      history.holder === 'group'
        ? group.as(user, credentialsOf(user)).listTools()
        : as(user).listTools(),
    read: (user) => as(user).readResource('user://mine'),
    follow: async (user) => {
      const subscribing =
        history.holder === 'option'
          ? client.subscribeResource(peer.uriOf(user), principalOf(user))
          : as(user).subscribeResource(peer.uriOf(user));
      await subscribing;
      if (isSettling) return client.as(user).close({ drainMs: CALL_MS });
      followers.push(user);
      listen(user);
      return Promise.all(USERS.map((each) => peer.touch(each)));
    },
    unfollow: (user) => as(user).unsubscribeResource(peer.uriOf(user)),
    touch: (user) => peer.touch(user),
    level: (user) => as(user).setLogLevel('debug'),
    cut: async (user) => {
      peer.cut();
      if (!peer.hasTokens) await call(user, 'exit');
    },
    close: (user) =>
      history.holder === 'group'
        ? group.as(user).close({ drainMs: 5 })
        : client.as(user).close({ drainMs: 5 }),
  };
  const running: Promise<unknown>[] = [];
  const settle = async (): Promise<void> => {
    if (history.maxSessions < USERS.length) {
      isSettling = true;
      for (const stop of stops.splice(0)) stop();
      const drainMs = CALL_MS;
      await Promise.all(followers.splice(0).map((user) => client.as(user).close({ drainMs })));
    }
    await Promise.all(running.splice(0));
    isSettling = false;
    for (const stop of stops.splice(0)) stop();
  };
  try {
    for (const { user, do: what } of history.steps) {
      if (what === 'settle') await settle();
      else if (what === 'idle') await sleep(25);
      else if (what === 'expire') {
        const next = (numbers.get(user) ?? 0) + 1;
        numbers.set(user, next);
        peer.expire(user, next);
      } else if (what === 'listen') {
        listen(user);
      } else {
        const took = (result: unknown = null): void => {
          if (result !== null) results++;
          see(user, result);
        };
        // What fails, by a cut or a token that expired, was seen by nobody.
        const operation = operations[what] as (user: string) => Promise<unknown>;
        running.push(operation(user).then(took, () => {}));
      }
    }
    await settle();
  } finally {
    await group.close();
    await client.close();
  }
  return { crossed, results, notifications };
}

it.each(Object.entries(PEERS))(
  'nothing of one principal is ever seen by another: %s',
  async (name, start) => {
    let results = 0;
    let notifications = 0;
    let runs = 0;
    const endAt = performance.now() + TIME_MS;
    const property = fc.asyncProperty(histories, async (history) => {
      // Not by an interruption, which would leave the history of now running.
      if (performance.now() > endAt && results >= MIN_RESULTS) return;
      const peer = await start();
      try {
        const seen = await run(peer, history);
        runs++;
        results += seen.results;
        notifications += seen.notifications;
        expect([...seen.crossed, ...peer.crossed]).toEqual([]);
      } finally {
        await peer.close();
      }
    });
    await fc.assert(property, { numRuns: 1000, endOnFailure: true });
    console.log(
      `principals of ${name}: ${runs} histories, ${results} results, ${notifications} notifications`,
    );
    expect(results).toBeGreaterThanOrEqual(MIN_RESULTS);
  },
);
