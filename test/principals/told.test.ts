import { mcp } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { createClient, type LongwireClient } from '@longwire/client';
import { createGroup } from '@longwire/client/group';
import { rateLimit } from '@longwire/client/middleware';
import { createPool } from '@longwire/client/pool';
import { fastify } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startUserServer, tokenOf, type UserServer } from './user-server.ts';

expectNothingLeftOpen();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server whose tool asks the client for all that a server may ask, and says what it was told. */
async function serveQuestions(): Promise<string> {
  const app = fastify({ forceCloseConnections: true });
  await app.register(mcp, {
    create: () => {
      const server = new McpServer({ name: 'asking', version: '1.0.0' });
      server.registerTool('ask', {}, async () => {
        const { roots } = await server.server.listRoots();
        const { content } = await server.server.createMessage({ messages: [], maxTokens: 1 });
        const { content: form } = await server.server.elicitInput({
          message: 'Who are you?',
          requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
        });
        const told = [roots[0]?.name, (content as { text?: string }).text, form?.['name']];
        return { content: [{ type: 'text', text: told.join(' ') }] };
      });
      return server;
    },
  });
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  closers.push(() => app.close());
  return origin;
}

describe.each(['/mcp', '/sse'])('the handlers of questions over %s', (path) => {
  it('are told whose session asks, with two users at once', async () => {
    const origin = await serveQuestions();
    let waiting = 0;
    let go = (): void => {};
    const both = new Promise<void>((resolve) => (go = resolve));
    const client = createClient(`${origin}${path}`, {
      protocol: '2025-06-18',
      handlers: {
        roots: async ({ principal }) => {
          // Both are asked before either is answered.
          if (++waiting === 2) go();
          await both;
          return [{ uri: 'file:///', name: String(principal) }];
        },
        sampling: (_params, { principal }) => ({
          role: 'assistant',
          model: 'none',
          content: { type: 'text', text: String(principal) },
        }),
        elicitation: (_params, { principal }) => ({
          action: 'accept',
          content: { name: String(principal) },
        }),
      },
    });
    closers.push(() => client.close());
    const ask = async (asking: LongwireClient): Promise<unknown> =>
      (await asking.callTool('ask')).content;
    expect(await Promise.all([ask(client.as('alice')), ask(client.as('bob'))])).toEqual([
      [{ type: 'text', text: 'alice alice alice' }],
      [{ type: 'text', text: 'bob bob bob' }],
    ]);
    expect(await ask(client)).toEqual([{ type: 'text', text: 'undefined undefined undefined' }]);
  });
});

describe('with', () => {
  let server: UserServer;
  beforeEach(async () => {
    server = await startUserServer();
    closers.push(() => server.close());
  });

  function clientOf(options: Parameters<typeof createClient>[1] = {}): LongwireClient {
    const client = createClient(`${server.origin}/sse`, options);
    closers.push(() => client.close());
    return client;
  }

  it('rateLimit({ perPrincipal: true }) one user does not use up the calls of another', async () => {
    const limit = { perSecond: 0.001, burst: 1, over: 'refuse', perPrincipal: true } as const;
    const client = clientOf({ middleware: [rateLimit(limit)] });
    const who = (user: string): Promise<unknown> =>
      client.as(user, { token: tokenOf(user) }).callTool('who');
    await who('alice');
    await expect(who('alice')).rejects.toMatchObject({ code: 'limit-exceeded' });
    await who('bob');
    await expect(who('bob')).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  it.each([
    ['a client', (): LongwireClient => createClient(`${server.origin}/sse`)],
    ['a pool', () => createPool(`${server.origin}/sse`) as unknown as LongwireClient],
  ])(
    'await using, a view of %s ends what it listens to, and leaves the session',
    async (_of, create) => {
      const client = create();
      closers.push(() => client.close());
      const changed: string[] = [];
      const alice = client.as('alice', { token: tokenOf('alice') });
      await alice.callTool('who');
      let next: Promise<unknown>;
      {
        await using view = client.as('alice');
        next = view.once('resourceUpdated').catch((error: unknown) => error);
        view.on('progress', ({ message }) => changed.push(`${message} in`));
        alice.on('progress', ({ message }) => changed.push(`${message} out`));
        await view.callTool('steps');
      }
      expect(await next).toMatchObject({ code: 'aborted' });
      await alice.callTool('steps');
      expect(changed).toEqual(['alice in', 'alice out', 'alice out']);
      expect(server.made.get('alice')).toBe(1);
      expect(client.stats().principals).toBe(1);
    },
  );

  it('await using, a view of a group does so, too', async () => {
    const group = createGroup({ notes: `${server.origin}/sse` }, { lazy: true });
    closers.push(() => group.close());
    const alice = group.as('alice', { token: tokenOf('alice') });
    const steps = (await alice.listTools()).find(({ name }) => name.endsWith('steps'))?.name ?? '';
    const heard: unknown[] = [];
    let events: AsyncIterable<unknown>;
    let next: Promise<unknown>;
    {
      await using view = group.as('alice');
      view.on('progress', ({ message }) => heard.push(message));
      events = view.events();
      next = view.once('resourceUpdated').catch((error: unknown) => error);
      await view.callTool(steps);
    }
    await alice.callTool(steps);
    expect(heard).toEqual(['alice']);
    expect(await next).toMatchObject({ code: 'closed' });
    // They end.
    for await (const event of events) expect(event).toMatchObject({ server: 'notes' });
    expect(server.made.get('alice')).toBe(1);
  });
});
