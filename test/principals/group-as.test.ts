import { afterEach, describe, expect, it } from 'vitest';
import { McpServer } from '@modelcontextprotocol/server';
import { createClient } from '@longwire/client';
import {
  createGroup,
  type Group,
  type GroupOptions,
  type GroupServers,
} from '@longwire/client/group';
import { tokenRefresh } from '@longwire/client/middleware';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { startUserServer, tokenOf, type UserServer } from './user-server.ts';

expectNothingLeftOpen();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(): Promise<UserServer> {
  const server = await startUserServer();
  closers.push(() => server.close());
  return server;
}

function groupOf(servers: GroupServers, options: GroupOptions = {}): Group {
  const shared = { retry: { firstDelayMs: 5, maxDelayMs: 50 }, ...options.shared };
  const group = createGroup(servers, { lazy: true, ...options, shared });
  closers.push(() => group.close());
  return group;
}

const said = (text: string): object => ({ content: [{ type: 'text', text }] });
const users = ['alice', 'bob', 'carol'];

describe('group.as', () => {
  it('lists and calls as the principal on every server, under the names of the group', async () => {
    const [a, b] = [await serve(), await serve()];
    let made = 0;
    const inProcess = {
      server: () => {
        const number = ++made;
        const server = new McpServer({ name: 'near', version: '1.0.0' });
        server.registerTool('number', {}, () => ({ ...said(String(number)) }) as never);
        return server;
      },
    };
    const group = groupOf({
      old: `${a.origin}/sse`,
      new: { target: `${b.origin}/mcp`, options: { protocol: '2026-07-28' } },
      near: inProcess,
    });
    const numbers = await Promise.all(
      users.map(async (user) => {
        const view = group.as(user, { token: tokenOf(user) });
        expect(await view.callTool('old__who')).toMatchObject(said(user));
        expect(await view.callTool('new__own')).toMatchObject({
          structuredContent: { [user]: user },
        });
        const names = (await view.listTools()).map(({ name }) => name);
        expect(names.filter((name) => name.includes('only')).toSorted()).toEqual([
          `new__only-${user}`,
          `old__only-${user}`,
        ]);
        expect(await view.callTool(`old__only-${user}`)).toMatchObject(said(user));
        expect(await view.server('old').readResource('user://mine')).toMatchObject({
          contents: [{ text: user }],
        });
        expect((await view.health('new')).status).toBe('healthy');
        const { content } = await view.callTool('near__number');
        return JSON.stringify(content);
      }),
    );
    // A server that is not reached by HTTP is another one for each.
    expect(new Set(numbers).size).toBe(users.length);
    expect([...a.crossed, ...b.crossed]).toEqual([]);
    expect(new Set([...a.users, ...b.users])).toEqual(new Set(users));
  });

  it('does not know the tools of another principal', async () => {
    const server = await serve();
    const group = groupOf({ one: `${server.origin}/mcp`, two: `${server.origin}/sse` });
    await group.as('alice', { token: tokenOf('alice') }).listTools();
    const bob = group.as('bob', { token: tokenOf('bob') });
    await expect(bob.callTool('one__only-alice')).rejects.toMatchObject({ code: 'unknown-tool' });
    await expect(bob.callTool('one__only-alice')).rejects.not.toThrow(/did you mean.*alice/);
  });

  it('takes the principal of one call from its options, and a token by principal and origin', async () => {
    const [a, b] = [await serve(), await serve()];
    const asked: string[] = [];
    const refresh = tokenRefresh({
      provider: ({ principal = 'nobody', origin }) => {
        asked.push(`${principal} ${origin}`);
        return tokenOf(principal);
      },
    });
    const group = groupOf(
      { a: `${a.origin}/mcp`, b: `${b.origin}/mcp` },
      { shared: { middleware: [refresh] } },
    );
    for (const user of users) {
      const principal = { id: user };
      expect(await group.callTool('a__who', {}, { principal })).toMatchObject(said(user));
      expect(await group.callTool('b__who', {}, { principal })).toMatchObject(said(user));
      expect((await group.listTools({ principal })).length).toBeGreaterThan(0);
    }
    expect(asked.toSorted()).toEqual(
      users.flatMap((user) => [`${user} ${a.origin}`, `${user} ${b.origin}`]).toSorted(),
    );
  });

  it('shares the limits of a server between principals', async () => {
    const server = await serve();
    const group = groupOf({ one: { target: `${server.origin}/mcp`, maxInFlight: 1 } });
    const views = users.map((user) => group.as(user, { token: tokenOf(user) }));
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, ...group.status().map(({ inFlight }) => inFlight));
    }, 1);
    await Promise.all(views.flatMap((view) => [view.callTool('who'), view.callTool('note')]));
    clearInterval(watch);
    expect(most).toBeLessThanOrEqual(1);
    expect(group.status()).toMatchObject([{ inFlight: 0, waiting: 0 }]);
  });

  it('tells of the sessions of the principal, with the name of the server', async () => {
    const server = await serve();
    const group = groupOf({ one: `${server.origin}/sse`, two: `${server.origin}/mcp` });
    const alice = group.as('alice', { token: tokenOf('alice') });
    const bob = group.as('bob', { token: tokenOf('bob') });
    const seen: unknown[] = [];
    const stop = alice.on('state', ({ server: name, state }) => seen.push([name, state.name]));
    const events = alice.events({ types: ['notification'] });
    const progress = alice.once('progress');
    await bob.callTool('two__steps');
    await alice.callTool('one__steps', {}, { onProgress: () => {} });
    expect(await progress).toMatchObject({ server: 'one', message: 'alice' });
    expect(seen).toContainEqual(['one', 'ready']);
    expect(seen).not.toContainEqual(['two', 'ready']);
    stop();
    await events.return();
    await alice.close();
    expect(alice.server('one').state.name).toBe('idle');
    expect(bob.server('two').state.name).toBe('ready');
  });

  it('lets go of a principal that is idle', async () => {
    const server = await serve();
    const group = groupOf(
      { one: `${server.origin}/sse` },
      { shared: { principals: { idleMs: 1 } } },
    );
    const view = group.as('alice', { token: tokenOf('alice') });
    await view.callTool('who');
    await until(() => expect(view.server('one').state.name).toBe('idle'));
    expect(await view.callTool('who')).toMatchObject(said('alice'));
  });

  it('refuses what is not the view’s, and sources that know no principals', async () => {
    const client = createClient('http://127.0.0.1:1/mcp');
    const group = groupOf({ one: client });
    const view = group.as('alice');
    expect(() => view.as('bob')).toThrowError(/as "alice"/);
    for (const method of ['add', 'remove', 'disable', 'enable', 'reconnect'] as const) {
      expect(() => (view[method] as (name: string) => unknown)('one')).toThrowError(TypeError);
    }
    const source = {
      name: 'plain',
      listTools: async () => [],
      callTool: async () => ({ content: [] }),
      on: () => () => {},
    };
    expect(() => groupOf({ plain: source }).as('alice')).toThrowError(/plain.*without a method as/);
  });
});
