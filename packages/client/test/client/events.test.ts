import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { everythingCommand } from '../../../../test/support/peers.ts';
import { startStreamable } from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { createGroup, type GroupEvents } from '../../src/group/index.ts';
import {
  connect,
  createClient,
  type ClientEvents,
  type LongwireClient,
  type ServerTarget,
  type ToolProgress,
} from '../../src/index.ts';
import { createPool } from '../../src/pool/index.ts';
import { failureOf } from '../support/failure-of.ts';

/** The official server in this process, which says what a test wants. */
function newsServer(): ServerTarget & { all: McpServer[] } {
  const all: McpServer[] = [];
  const server = (): McpServer => {
    const made = new McpServer(
      { name: 'news', version: '1.0.0' },
      { capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } } },
    );
    made.registerTool('slow', { inputSchema: z.object({}) }, async (_args, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken ?? 0;
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress: 1, total: 2, message: 'half' },
      });
      return { content: [] };
    });
    made.registerPrompt('hello', {}, () => ({ messages: [] }));
    all.push(made);
    return made;
  };
  return { server, all };
}

/** Says one thing of each kind. */
async function sayAll(server: McpServer): Promise<void> {
  await server.server.sendLoggingMessage({ level: 'warning', logger: 'db', data: { slow: 5 } });
  await server.server.sendResourceUpdated({ uri: 'news://today' });
  server.sendResourceListChanged();
  server.sendPromptListChanged();
}

const NAMES = [
  'log',
  'resourceUpdated',
  'resourcesChanged',
  'promptsChanged',
  'progress',
] as const satisfies (keyof ClientEvents)[];

/** What a source says, as it says it. */
function heardOf(source: Pick<LongwireClient, 'on'>): Record<string, unknown[]> {
  const heard: Record<string, unknown[]> = {};
  for (const name of NAMES) {
    source.on(name, (payload: unknown) => (heard[name] ??= []).push(payload));
  }
  return heard;
}

const said = {
  log: [{ level: 'warning', logger: 'db', data: { slow: 5 } }],
  resourceUpdated: [{ uri: 'news://today' }],
  resourcesChanged: [undefined],
  promptsChanged: [undefined],
  progress: [{ tool: 'slow', progress: 1, total: 2, message: 'half' }],
};

describe('events that are read from notifications, and progress', () => {
  it('of a client', async () => {
    const { server, all } = newsServer();
    await using client = await connect({ server });
    const heard = heardOf(client);
    const methods: string[] = [];
    client.on('notification', ({ method }) => methods.push(method));
    const own: unknown[] = [];
    await client.callTool('slow', {}, { onProgress: (progress) => own.push(progress) });
    await sayAll(all[0] as McpServer);
    await until(() => expect(heard).toEqual(said));
    expect(own).toEqual([{ progress: 1, total: 2, message: 'half' }]);
    expect(methods).toEqual([
      'notifications/message',
      'notifications/resources/updated',
      'notifications/resources/list_changed',
      'notifications/prompts/list_changed',
    ]);
  });

  it('of a pool', async () => {
    const { server, all } = newsServer();
    await using pool = createPool({ server });
    const heard = heardOf(pool);
    await pool.callTool('slow');
    await sayAll(all[0] as McpServer);
    await until(() => expect(heard).toEqual(said));
  });

  it('of a group, with the name of the server', async () => {
    const { server, all } = newsServer();
    await using group = createGroup({ news: { server }, other: newsServer() });
    const heard = heardOf(group as never);
    const all_ = group.events();
    const progress = group.events({ types: ['progress'] });
    await group.connect();
    await group.callTool('news__slow');
    await sayAll(all[0] as McpServer);
    const stamp = { server: 'news', at: expect.any(Number) };
    const stamped = Object.fromEntries(
      Object.entries(said).map(([name, [payload]]) => [name, [{ ...payload, ...stamp }]]),
    );
    await until(() => expect(heard).toMatchObject(stamped));
    expect(await progress.next()).toMatchObject({ value: { type: 'progress', tool: 'slow' } });
    await group.close();
    const types: string[] = [];
    for await (const { type } of all_) types.push(type);
    expect(types).toContain('notification');
    expect(types).not.toContain('progress');
  });

  it('of what a real server says', async () => {
    await using client = await connect(everythingCommand());
    const seen: ToolProgress[] = [];
    client.on('progress', (progress) => seen.push(progress));
    const logged = client.once('log', { timeoutMs: 20_000 });
    await client.callTool('toggle-simulated-logging');
    await client.callTool('trigger-long-running-operation', { duration: 0.2, steps: 2 });
    expect(seen).toMatchObject([
      { tool: 'trigger-long-running-operation', progress: 1, total: 2 },
      { tool: 'trigger-long-running-operation', progress: 2, total: 2 },
    ]);
    expect(await logged).toMatchObject({ level: expect.any(String), data: expect.anything() });
  });

  it('leave out what says less than it has to', async () => {
    await using server = await startStreamable();
    await using client = await connect(server.url);
    await until(() => expect(server.openStreams()).toBe(1));
    const heard = heardOf(client);
    const push = (method: string, params: Record<string, unknown>): void =>
      server.push({ jsonrpc: '2.0', method: `notifications/${method}`, params });
    const last = client.once('resourceUpdated');
    push('message', { data: 'x' });
    push('resources/updated', { uri: 5 });
    push('resources/updated', { uri: 'a://b', title: 'B' });
    expect(await last).toEqual({ uri: 'a://b' });
    expect(heard).toEqual({ resourceUpdated: [{ uri: 'a://b' }] });
  });

  it('ask a stateless server only for the lists that somebody wants', async () => {
    const answer = (): unknown => undefined;
    await using server = await startStreamable({ era: 'modern', answer });
    await using client = await connect(server.url);
    client.on('log', () => {});
    client.on('progress', () => {});
    client.on('resourceUpdated', () => {});
    await client.callTool('echo', { message: 'x' });
    expect(server.messagesOf('subscriptions/listen')).toEqual([]);
    client.on('toolsChanged', () => {});
    await until(() => expect(server.openStreams()).toBe(1));
    const [asked] = server.messagesOf('subscriptions/listen');
    expect(asked?.['params']).toMatchObject({ notifications: { toolsListChanged: true } });
  });
});

describe('once', () => {
  const sources = {
    client: (target: ServerTarget) => createClient(target),
    pool: (target: ServerTarget) => createPool(target),
    group: (target: ServerTarget) => createGroup({ news: target }),
  };

  it.each(Object.entries(sources))('of a %s brings the next event', async (_name, create) => {
    const { server, all } = newsServer();
    await using source = create({ server }) as LongwireClient;
    const ready = source.once('state');
    await source.listTools();
    await ready;
    const logged = source.once('log');
    await sayAll(all[0] as McpServer);
    expect(await logged).toMatchObject({ level: 'warning', data: { slow: 5 } });
  });

  it.each(Object.entries(sources))('of a %s fails when it is closed', async (_name, create) => {
    const source = create(newsServer());
    await source.listTools();
    const waiting = failureOf((source as LongwireClient).once('log'));
    await source.close();
    expect(await waiting).toMatchObject({ code: 'closed', certainty: 'not-sent' });
  });

  it('says that a client is closed, if that is what is waited for', async () => {
    const client = await connect(newsServer());
    const closed = client.once('state');
    await client.close();
    expect(await closed).toMatchObject({ name: 'closed' });
  });

  it('ends by a signal, by its time, and listens no more', async () => {
    const { server, all } = newsServer();
    await using client = await connect({ server });
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    expect(await failureOf(client.once('log', { signal }))).toMatchObject({
      code: 'aborted',
      cause: reason,
    });
    const aborting = new AbortController();
    const waiting = failureOf(client.once('log', { signal: aborting.signal }));
    aborting.abort(reason);
    expect(await waiting).toMatchObject({ code: 'aborted', cause: reason });
    expect(await failureOf(client.once('log', { timeoutMs: 1 }))).toMatchObject({
      code: 'timeout',
      message: 'the event log did not come within 1 ms',
    });
    await sayAll(all[0] as McpServer);
    await expect(client.once('log', { timeoutMs: -1 })).rejects.toThrow(TypeError);
    await expect(client.once('log', { time: 1 } as never)).rejects.toThrow(/time/);
  });
});

function checkTypes(client: LongwireClient): void {
  expectTypeOf(client.once('resourceUpdated')).resolves.toEqualTypeOf<{ uri: string }>();
  expectTypeOf<GroupEvents['resourceUpdated']>().toExtend<{ uri: string; server: string }>();
  // @ts-expect-error: there is no such event
  client.on('resourceChanged', () => {});
}
void checkTypes;

describe('an event that there is not', () => {
  const sources = () => {
    const target = newsServer();
    return [
      createClient(target),
      createPool(target),
      createGroup({ news: { target, lazy: true } }),
    ];
  };

  it('is refused, with the nearest that there is', async () => {
    for (const source of sources()) {
      const wrong = source as Pick<LongwireClient, 'on' | 'once'>;
      expect(() => wrong.on('waitng' as 'waiting', () => {})).toThrow(
        new TypeError('there is no event waitng. Did you mean waiting?'),
      );
      expect(() => wrong.on('constructor' as 'waiting', () => {})).toThrow(
        /^there is no event constructor\. There are state, /,
      );
      expect(() => wrong.on('waiting', 5 as never)).toThrow(/is not a function/);
      await expect(wrong.once('tolsChanged' as 'toolsChanged')).rejects.toThrow(
        /Did you mean toolsChanged/,
      );
      await source.close();
    }
  });

  it('is refused by a client as a principal', async () => {
    const client = createClient(newsServer());
    const alice = client.as('alice');
    expect(() => alice.on('waitng' as 'waiting', () => {})).toThrow(TypeError);
    await client.close();
  });
});
