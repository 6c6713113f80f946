import { afterEach, describe, expect, it } from 'vitest';
import {
  createClient,
  LongwireError,
  type CallToolOptions,
  type ClientOptions,
  type LongwireClient,
} from '@longwire/client';
import { createGroup, type Group } from '@longwire/client/group';
import { tokenRefresh } from '@longwire/client/middleware';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { startUserServer, tokenOf, type UserServer } from './user-server.ts';

expectNothingLeftOpen();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const USERS = ['alice', 'bob', 'carol'];
const OTHERS = ['bob', 'carol'];
const said = (text: string): object => ({ content: [{ type: 'text', text }] });

const ways: [string, string, ClientOptions][] = [
  ['HTTP+SSE', '/sse', {}],
  ['Streamable HTTP', '/mcp', { protocol: '2025-11-25' }],
  ['2026-07-28', '/mcp', { protocol: '2026-07-28' }],
];

interface Fixture {
  server: UserServer;
  client: LongwireClient;
  group: Group;
  /** The number of the token that a user has now. */
  numbers: Map<string, number>;
}

async function start(path: string, options: ClientOptions = {}): Promise<Fixture> {
  const server = await startUserServer();
  closers.push(() => server.close());
  const numbers = new Map(USERS.map((user) => [user, 1]));
  const settings = { retry: { firstDelayMs: 5, maxDelayMs: 50 }, ...options };
  const client = createClient(`${server.origin}${path}`, settings);
  closers.push(() => client.close());
  const group = createGroup({ one: client }, { lazy: true });
  closers.push(() => group.close());
  return { server, client, group, numbers };
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );

/** How a principal gets its token: by a function, by `tokenRefresh`, or by `as` whenever it is used. */
type Supply = 'function' | 'refresh' | 'token';

/** A fixture whose users call a tool over views, as the programs do that this is for. */
async function startUsers(
  path: string,
  { supply, holder, ...options }: ClientOptions & { supply: Supply; holder: 'client' | 'group' },
): Promise<
  Fixture & { call: (user: string, tool: string, own?: CallToolOptions) => Promise<unknown> }
> {
  const refresh = tokenRefresh({
    provider: ({ principal = 'nobody' }) => tokenOf(principal, fixture.numbers.get(principal)),
  });
  const middleware = supply === 'refresh' ? [refresh] : [];
  const fixture: Fixture = await start(path, { ...options, middleware });
  const call = (user: string, tool: string, own: CallToolOptions = {}): Promise<unknown> => {
    const token = (): string => tokenOf(user, fixture.numbers.get(user));
    const credentials =
      supply === 'refresh' ? {} : { token: supply === 'function' ? token : token() };
    const { client, group } = fixture;
    const view = holder === 'client' ? client.as(user, credentials) : group.as(user, credentials);
    return view.callTool(tool, {}, own);
  };
  return { ...fixture, call };
}

describe.each(ways)('over %s', (_name, path, options) => {
  describe.each<[Supply, 'client' | 'group']>([
    ['function', 'client'],
    ['refresh', 'client'],
    ['token', 'client'],
    ['function', 'group'],
    ['refresh', 'group'],
  ])('with tokens by %s, a view of a %s', (supply, holder) => {
    it.each(['goes on', 'is cut'])(
      'a token expires while its call streams, and the stream %s',
      async (what) => {
        const users = await startUsers(path, { ...options, supply, holder });
        const { server, numbers, call } = users;
        const progress = new Map(USERS.map((user) => [user, [] as unknown[]]));
        const failed: unknown[] = [];
        const calls = USERS.map(async (user) => {
          const onProgress = ({ message }: { message?: string | undefined }): void =>
            void progress.get(user)?.push(message);
          return call(user, 'slow', { onProgress }).catch((error: unknown) => {
            failed.push(error);
            return error;
          });
        });
        await until(() => {
          const begun = [...progress].map(([user, messages]) => [user, messages.length]);
          expect({ begun, failed }).toEqual({ begun: USERS.map((user) => [user, 1]), failed: [] });
        });
        server.expire('alice', 2);
        numbers.set('alice', 2);
        if (what === 'is cut') server.cut('alice');
        const next = await call('alice', 'who');
        server.release();

        const [ofAlice, ...others] = await Promise.all(calls);
        expect(next).toMatchObject(said('alice'));
        expect(others).toMatchObject(OTHERS.map(said));
        for (const user of OTHERS) expect(progress.get(user)).toEqual([user, user]);
        expect(new Set(progress.get('alice'))).toEqual(new Set(['alice']));
        if (ofAlice instanceof LongwireError) {
          expect(what).toBe('is cut');
          // It had begun, and may not run again.
          expect(ofAlice.certainty).toBe('outcome-unknown');
        } else expect(ofAlice).toMatchObject(said('alice'));
        expect([...server.slow.values()]).toEqual([1, 1, 1]);
        expect(server.crossed).toEqual([]);
      },
    );
  });

  it('a resource that changed is told to the principal that subscribed to it', async () => {
    const { server, client } = await start(path, options);
    const hasSessions = options.protocol !== '2026-07-28';
    const uriOf = (user: string): string => (hasSessions ? 'user://mine' : `user://${user}`);
    const told = new Map(USERS.map((user) => [user, [] as string[]]));
    const stops = USERS.map((user) => {
      const view = client.as(user, { token: tokenOf(user) });
      return view.on('notification', ({ method, params }) => {
        if (method !== 'notifications/resources/updated') return;
        told.get(user)?.push(JSON.stringify(params));
      });
    });
    for (const user of OTHERS) await client.as(user).subscribeResource(uriOf(user));
    await client.unsubscribeResource(uriOf('carol'), { principal: { id: 'carol' } });
    await client.as('alice').callTool('who');
    for (const user of ['alice', 'carol', 'bob']) await server.touch(user);
    await until(() => expect(told.get('bob')).not.toEqual([]));
    // What comes after it on the streams of the others has come as well.
    for (const user of USERS) await client.as(user).callTool('steps');
    expect(told.get('bob')).toHaveLength(1);
    expect(told.get('bob')?.[0]).toContain('bob');
    expect([told.get('alice'), told.get('carol')]).toEqual([[], []]);
    for (const stop of stops) stop();
    expect(server.crossed).toEqual([]);
  });

  it('a log level is that of the principal that set it', async () => {
    const { client } = await start(path, options);
    const told = new Map(USERS.map((user) => [user, [] as unknown[]]));
    const stops = USERS.map((user) =>
      client.as(user, { token: tokenOf(user) }).on('log', ({ data }) => told.get(user)?.push(data)),
    );
    await client.as('alice').setLogLevel('error');
    await client.as('bob').setLogLevel('debug');
    await client.setLogLevel('info', { principal: { id: 'carol' } });
    // What is logged of a call comes before its answer, if by another stream soon after it.
    for (const user of USERS) await client.as(user).callTool('steps');
    await until(() => expect([told.get('bob'), told.get('carol')]).toEqual([['bob'], ['carol']]));
    expect(told.get('alice')).toEqual([]);
    for (const stop of stops) stop();
  });

  it('a stream has the progress and the log of its own call', async () => {
    const { client } = await start(path, options);
    const streams = USERS.map(async (user) => {
      const principal = { id: user, token: tokenOf(user) };
      await client.setLogLevel('info', { principal });
      const seen: unknown[] = [];
      for await (const event of client.stream('steps', {}, { principal })) {
        seen.push(event.type === 'result' ? event.result.content : event);
      }
      return JSON.stringify(seen);
    });
    for (const [i, seen] of (await Promise.all(streams)).entries()) {
      const named = USERS.filter((user) => seen.includes(user));
      expect(named).toEqual([USERS[i]]);
      expect(seen).toContain('progress');
    }
  });

  it.each(['client', 'group'] as const)(
    'a view of a %s that is drained lets its calls finish, and cuts what takes too long',
    async (which) => {
      const { server, ...sources } = await start(path, options);
      const source = sources[which];
      const [alice, bob] = ['alice', 'bob'].map((user) =>
        source.as(user, { token: tokenOf(user) }),
      );
      if (alice === undefined || bob === undefined) throw new Error('no views');
      const ofAlice = failureOf(alice.callTool('slow', {}, { onProgress: () => {} }));
      const ofBob = bob.callTool('slow', {}, { onProgress: () => {} });
      await until(() => expect(server.slow.size).toBe(2));
      const cut: unknown[] = [];
      const closed = alice.close({ drainMs: 30, onCut: (call) => cut.push(call) });
      expect(await failureOf(alice.callTool('who'))).toMatchObject({ code: 'closed' });
      expect(await bob.callTool('who')).toMatchObject(said('bob'));
      await closed;
      expect(await ofAlice).toMatchObject({ code: 'closed', certainty: 'outcome-unknown' });
      expect(cut).toEqual([{ what: 'the call of slow', certainty: 'outcome-unknown' }]);
      // The one that is taken up again has a session of its own again.
      expect(await source.as('alice').callTool('who')).toMatchObject(said('alice'));
      const drained = source.close({ drainMs: 60_000 });
      expect(await failureOf(bob.callTool('who'))).toMatchObject({ code: 'closed' });
      server.release();
      expect(await ofBob).toMatchObject(said('bob'));
      await drained;
      expect(server.crossed).toEqual([]);
    },
  );
});
