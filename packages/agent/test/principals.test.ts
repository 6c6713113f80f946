import { AsyncLocalStorage } from 'node:async_hooks';
import { createClient, type LongwireClient } from '@longwire/client';
import { createGroup } from '@longwire/client/group';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startUserServer, tokenOf, type UserServer } from '../../../test/principals/user-server.ts';
import { createAgent, type AgentOptions, type ApprovalRequest } from '../src/index.ts';
import { fakeSource } from './support/fake-source.ts';
import { collect, ofType, setup } from './support/setup.ts';

let server: UserServer;
let client: LongwireClient;
beforeEach(async () => {
  server = await startUserServer();
  client = createClient(`${server.origin}/mcp`, { name: 'notes' });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

/** Has Claude call a tool, and gives what it said and which tools Claude was offered. */
async function turnOf(options: AgentOptions, tool = 'who') {
  const { agent, claude } = await setup(
    [{ calls: [{ name: tool }] }, { text: 'Done.' }, { text: 'Done.' }],
    options,
  );
  const events = await collect(agent.send('Go'));
  const offered = claude.bodies()[0]?.tools?.map(({ name }) => name) ?? [];
  return { agent, claude, events, offered };
}

describe('an agent whose source is a view', () => {
  it('offers the tools of its user, and calls as that user', async () => {
    await Promise.all(
      ['alice', 'bob'].map(async (user) => {
        const view = client.as(user, { token: tokenOf(user) });
        const { events, offered } = await turnOf({ clients: [view] });
        expect(ofType(events, 'tool-result')).toMatchObject([
          { isError: false, result: { content: [{ text: user }] } },
        ]);
        expect(offered.filter((name) => name.startsWith('only'))).toEqual([`only-${user}`]);
      }),
    );
    expect(server.crossed).toEqual([]);
  });

  it('keeps the approvals of one user from another', async () => {
    await using group = createGroup({ notes: `${server.origin}/mcp` }, { lazy: true });
    const asked: string[] = [];
    const turns = async (user: string): Promise<void> => {
      const view = group.as(user, { token: tokenOf(user) });
      const approve = () => {
        asked.push(user);
        return 'always' as const;
      };
      const { agent } = await setup(
        [
          { calls: [{ name: 'note' }] },
          { text: 'Done.' },
          { calls: [{ name: 'note' }] },
          { text: 'Done.' },
        ],
        { clients: [view], approve },
      );
      for (const text of ['Go', 'Again']) {
        const results = ofType(await collect(agent.send(text)), 'tool-result');
        expect(results).toMatchObject([{ result: { content: [{ text: user }] } }]);
      }
    };
    await turns('alice');
    await turns('bob');
    expect(asked).toEqual(['alice', 'bob']);
  });
});

describe('callOptions', () => {
  it('name the principal of all calls and lists', async () => {
    const principal = { id: 'alice', token: tokenOf('alice') };
    const headers = { 'x-turn': '7' };
    const callOptions = { principal, headers };
    const { agent, events, offered } = await turnOf({ clients: [client], callOptions });
    expect(ofType(events, 'tool-result')).toMatchObject([
      { isError: false, result: { content: [{ text: 'alice' }] } },
    ]);
    expect(offered).toContain('only-alice');
    expect(new Set(server.users)).toEqual(new Set(['alice']));
    expect(server.headers.some(({ 'x-turn': turn }) => turn === '7')).toBe(true);
    agent.close();
    await client.as('alice').close();
    expect(client.stats().principals).toBe(0);
  });

  it('of a function are asked for each call, in the context of send', async () => {
    const users = new AsyncLocalStorage<string>();
    const asked: unknown[] = [];
    const callOptions: AgentOptions['callOptions'] = async (call) => {
      asked.push(call);
      await Promise.resolve();
      const id = users.getStore() ?? 'nobody';
      return { principal: { id, token: () => tokenOf(id) } };
    };
    const { agent } = await setup(
      [{ calls: [{ name: 'say', arguments: { text: 'hi' } }] }, { text: 'Done.' }],
      {
        clients: [client],
        callOptions,
      },
    );
    const events = await users.run('bob', async () => agent.send('Go'));
    // Whoever reads the events.
    const [result] = ofType(await users.run('eve', () => collect(events)), 'tool-result');
    expect(result).toMatchObject({ isError: false, result: { content: [{ text: 'bob hi' }] } });
    expect(asked).toEqual([
      { server: 'notes', tool: undefined, arguments: {} },
      { server: 'notes', tool: 'say', arguments: { text: 'hi' } },
    ]);
  });

  it('of one principal do not allow a call of another', async () => {
    let user = 'alice';
    const asked: ApprovalRequest['principal'][] = [];
    const call = [{ calls: [{ name: 'note' }] }, { text: 'Done.' }];
    const { agent } = await setup([...call, ...call, ...call], {
      clients: [client],
      callOptions: () => ({ principal: { id: user, token: tokenOf(user) } }),
      approve: ({ principal }) => {
        asked.push(principal);
        return 'always';
      },
    });
    for (user of ['alice', 'alice', 'bob']) {
      const [result] = ofType(await collect(agent.send('Go')), 'tool-result');
      expect(result).toMatchObject({ result: { content: [{ text: user }] } });
    }
    expect(asked).toEqual(['alice', 'bob']);
  });

  it('that cannot be had leave the call unmade, and Claude does not hear why', async () => {
    const source = fakeSource('demo', [{ name: 'echo' }]);
    const failure = new Error('alice has no account');
    const { events, claude } = await turnOf(
      {
        clients: [source],
        callOptions: ({ tool }) => {
          if (tool === undefined) return {};
          throw failure;
        },
      },
      'echo',
    );
    expect(ofType(events, 'tool-result')).toMatchObject([{ isError: true, error: failure }]);
    expect(source.calls).toEqual([]);
    const told = JSON.stringify(claude.bodies()[1]?.messages);
    expect(told).toContain('The tool did not run.');
    expect(told).not.toContain('account');
  });

  it('of a list that cannot be had fail the source, and the turn goes on', async () => {
    const source = fakeSource('demo', [{ name: 'echo' }]);
    const failure = new Error('no token');
    const { agent } = await setup([{ text: 'Hello.' }], {
      clients: [source],
      callOptions: async () => Promise.reject(failure),
    });
    const events = await collect(agent.send('Go'));
    expect(ofType(events, 'source-failed')).toMatchObject([{ server: 'demo', error: failure }]);
    expect(ofType(events, 'done')).toMatchObject([{ reason: 'end-turn' }]);
  });

  it('that are wrong are refused', () => {
    const agentWith = (callOptions: object) => () =>
      createAgent({ clients: [fakeSource('demo', [])], callOptions });
    expect(agentWith({ principal: 'alice' })).toThrow(/^callOptions\.principal must be an object/);
    expect(agentWith({ headers: 'x: y' })).toThrow(/^callOptions\.headers must be an object/);
    expect(agentWith({ principal: { id: 'alice' } })).toThrow(/demo is a source of tools without/);
    const callOptions = { principal: { id: '' } };
    expect(() => createAgent({ clients: [client], callOptions })).toThrow(
      /needs the name of a user/,
    );
  });
});
