import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { createGroup, type GroupServers } from '../../src/group/index.ts';
import { listing, said } from '../support/recovery.ts';
import { failureOf } from '../support/failure-of.ts';
import { eventsOf, groupsOfThisFile, latch, namesOf, statesIn, statusOf } from './support.ts';

const { serve, group: groupOf, client: clientOf } = groupsOfThisFile();

describe('a group', () => {
  it('has the tools of all servers under unique names, and calls the right ones', async () => {
    const [a, b] = [await serve(), await serve()];
    const group = groupOf({ 'east wing': a.url, west: { target: b.url } });
    const names = await namesOf(group);
    expect(names).toHaveLength(10);
    expect(names).toContain('east_wing__echo');
    expect(names).toContain('west__echo');
    expect(await group.callTool('east_wing__echo', { message: 'a' })).toEqual(said('a'));
    expect(await group.tool('west__echo').call({ message: 'b' })).toEqual(said('b'));
    expect(a.messagesOf('tools/call')[0]?.params).toMatchObject({ name: 'echo' });
    expect(b.messagesOf('tools/call')).toHaveLength(1);
  });

  it('has the tools of a single server under their own names, and keeps them', async () => {
    const [a, b] = [await serve(), await serve()];
    const group = groupOf({ a: a.url });
    expect(await namesOf(group)).toContain('echo');
    group.add({ name: 'b', target: b.url });
    const names = await namesOf(group);
    expect(names).toEqual(expect.arrayContaining(['echo', 'b__echo']));
    expect(await group.callTool('echo', { message: '1' })).toEqual(said('1'));
    expect(await group.callTool('a__echo', { message: '2' })).toEqual(said('2'));
    expect(await group.callTool('b__echo', { message: '3' })).toEqual(said('3'));
    expect(a.messagesOf('tools/call')).toHaveLength(2);
  });

  it('connects at once, and all servers at the same time', async () => {
    const servers = await Promise.all(['a', 'b', 'c'].map(() => serve()));
    const group = groupOf(Object.fromEntries(servers.map(({ url }, i) => [`s${i}`, url])));
    const events = eventsOf(group);
    await group.connect();
    expect(group.status().map(({ name, state }) => [name, state])).toEqual([
      ['s0', 'ready'],
      ['s1', 'ready'],
      ['s2', 'ready'],
    ]);
    expect(statesIn(events, 's1')).toEqual(['connecting', 'ready']);
    const begins = events.findIndex(({ type, server }) => type === 'state' && server === 's2');
    expect(begins).toBeLessThan(
      events.findIndex((e) => e.type === 'state' && e.state.name === 'ready'),
    );
    expect(servers.map((server) => server.openedSessions())).toEqual([1, 1, 1]);
  });

  it('connects lazily to the server whose tool is called, and to no other', async () => {
    const [a, b] = [await serve(), await serve()];
    const group = groupOf({ a: a.url, b: b.url }, { lazy: true });
    expect(await group.callTool('b__add', { a: 1, b: 2 })).toEqual(said('3'));
    expect(statusOf(group, 'a')).toMatchObject({ state: 'idle', tools: 0 });
    expect(statusOf(group, 'b')).toMatchObject({ state: 'ready', tools: 5 });
    expect(a.requests).toEqual([]);
    expect(await namesOf(group)).toHaveLength(10);
  });

  it('says which tools come near one that there is not', async () => {
    const group = groupOf({ a: (await serve()).url, b: (await serve()).url });
    expect(await failureOf(group.callTool('a__ecko', {}))).toMatchObject({
      code: 'unknown-tool',
      certainty: 'not-sent',
      message: expect.stringContaining('a__echo') as string,
    });
    expect(await failureOf(group.callTool('nobody__echo'))).toMatchObject({ code: 'unknown-tool' });
  });

  it('finds a tool that came after the list', async () => {
    const a = await serve();
    const group = groupOf({ a: a.url, b: (await serve()).url });
    expect(await namesOf(group)).toContain('a__echo');
    a.mischief.answer = listing({ echo: {}, hang: {}, add: {}, brand_new: {} });
    expect(await failureOf(group.callTool('a__brand_new'))).toMatchObject({
      code: 'server-error',
      message: expect.stringContaining('no tool brand_new') as string,
    });
  });

  it('includes, excludes and overrides', async () => {
    const a = await serve();
    const group = groupOf({
      a: {
        target: a.url,
        tools: {
          include: ['e*', 'add', 'slow'],
          exclude: ['s?ow'],
          override: {
            echo: { name: 'say', description: 'Says it.', annotations: { readOnlyHint: true } },
            add: { name: 'echo' },
          },
        },
      },
      b: { target: (await serve()).url, tools: { include: ['hang'] } },
    });
    const events = eventsOf(group);
    const tools = await group.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['a__say', 'a__add', 'b__hang']);
    expect(tools[0]).toMatchObject({
      description: 'Says it.',
      annotations: { readOnlyHint: true },
      inputSchema: { required: ['message'] },
    });
    expect(await group.callTool('a__say', { message: 'hi' })).toEqual(said('hi'));
    expect(a.messagesOf('tools/call')[0]?.params).toMatchObject({ name: 'echo' });
    // `echo` is a tool of that server: nothing else may be called by its name.
    expect(events.find(({ type }) => type === 'error')).toMatchObject({
      server: 'a',
      error: { message: expect.stringContaining('add is not shown as echo') as string },
    });
    expect(await failureOf(group.callTool('a__slow'))).toMatchObject({ code: 'unknown-tool' });
    expect(a.messagesOf('tools/call')).toHaveLength(1);
  });

  it('sends a call again that the program calls idempotent by an override', async () => {
    const a = await serve({ cutOnCall: true });
    const override = { echo: { annotations: { idempotentHint: true } } };
    const group = groupOf({ a: { target: a.url, tools: { override } } });
    const call = group.callTool('echo', { message: 'again' });
    await until(() => expect(a.messagesOf('tools/call')).toHaveLength(1));
    a.mischief.cutOnCall = false;
    expect(await call).toEqual(said('again'));
    expect(
      await failureOf(group.callTool('add', { a: 1, b: 1 }, { signal: AbortSignal.abort() })),
    ).toMatchObject({ code: 'aborted' });
  });

  it('keeps the first of two tools of one name, and says so', async () => {
    const two = [
      { name: 'twin', description: 'first', inputSchema: { type: 'object' } },
      { name: 'twin', description: 'second', inputSchema: { type: 'object' } },
    ];
    const a = await serve({
      answer: ({ method }) => (method === 'tools/list' ? { tools: two } : undefined),
    });
    const group = groupOf({ a: a.url });
    const events = eventsOf(group);
    expect(await group.listTools()).toMatchObject([{ name: 'twin', description: 'first' }]);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'error', server: 'a' }) as object,
    );
    expect(statusOf(group, 'a').lastError?.summary).toContain('two tools named twin');
  });

  it('runs so many calls of a server at a time, and the others in order', async () => {
    const { opened, open } = latch();
    const isCall = (method: string | undefined): boolean => method === 'tools/call';
    const a = await serve({ holdPost: ({ method }) => (isCall(method) ? opened : undefined) });
    const b = await serve();
    const group = groupOf({ a: { target: a.url, maxInFlight: 2 }, b: b.url });
    const ended: string[] = [];
    const calls = ['1', '2', '3', '4'].map(async (message) => {
      await group.callTool('a__echo', { message });
      ended.push(message);
    });
    await until(() => expect(a.messagesOf('tools/call')).toHaveLength(2));
    expect(statusOf(group, 'a')).toMatchObject({ inFlight: 2, waiting: 2 });
    // Nobody else waits.
    expect(await group.callTool('b__echo', { message: 'b' })).toEqual(said('b'));
    const controller = new AbortController();
    const aborted = failureOf(group.callTool('a__echo', {}, { signal: controller.signal }));
    const late = failureOf(group.callTool('a__echo', {}, { timeoutMs: 1 }));
    expect(await late).toMatchObject({
      code: 'timeout',
      certainty: 'not-sent',
      message: expect.stringContaining('maxInFlight') as string,
    });
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'aborted', certainty: 'not-sent' });
    expect(statusOf(group, 'a')).toMatchObject({ inFlight: 2, waiting: 2 });
    open();
    await Promise.all(calls);
    expect(ended).toEqual(['1', '2', '3', '4']);
    expect(a.messagesOf('tools/call').map(({ params }) => params?.['arguments'])).toEqual(
      ['1', '2', '3', '4'].map((message) => ({ message })),
    );
    expect(statusOf(group, 'a')).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it('uses a client of the program, and never closes it', async () => {
    const a = await serve();
    const client = clientOf(a.url);
    const group = groupOf({ mine: client, other: (await serve()).url });
    expect(await group.callTool('mine__echo', { message: 'x' })).toEqual(said('x'));
    expect(group.server('mine')).toBe(client);
    await group.disable('mine');
    await group.remove('mine');
    await group.close();
    expect(client.state.name).toBe('ready');
    expect(() => group.server('mine')).toThrow('no server mine');
  });

  it('gives the client of a server, for what is no tool', async () => {
    const group = groupOf({ a: (await serve()).url, b: (await serve()).url });
    expect(await group.server('a').listPrompts()).toEqual([]);
    expect(() => group.server('aa')).toThrow(
      'there is no server aa in this group; did you mean a?',
    );
  });

  it('shows no secret in its status', async () => {
    const a = await serve();
    const url = `${a.url.replace('//', '//user:pass@')}?key=secret`;
    const group = groupOf(
      { a: url, b: { command: '/usr/bin/false', args: ['--key=secret'], env: { KEY: 'secret' } } },
      { lazy: true },
    );
    expect(group.status().map(({ target }) => target)).toEqual([a.url, 'false']);
    expect(JSON.stringify(group.status())).not.toMatch(/secret|pass/);
  });

  it('connects again when it is used after it was closed', async () => {
    const a = await serve();
    const group = groupOf({ a: a.url });
    expect(await namesOf(group)).toContain('echo');
    await group.close();
    expect(statusOf(group, 'a').state).toBe('closed');
    expect(await group.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(a.openedSessions()).toBe(2);
  });

  it('dials nothing when it is closed before it began', async () => {
    const a = await serve();
    const group = groupOf({ a: a.url });
    await group.close();
    await Promise.resolve();
    expect(statusOf(group, 'a').state).toBe('idle');
    expect(a.requests).toEqual([]);
  });
});

describe('what a group is made of', () => {
  const url = 'http://127.0.0.1:9/sse';
  const wrong: [string, GroupServers, object, string][] = [
    [
      'two servers of one name',
      [
        { name: 'a', target: url },
        { name: 'a', target: url },
      ],
      {},
      'servers: there are two named a',
    ],
    ['a server without a name', [{ name: '', target: url }], {}, 'without a name'],
    ['a target that is none', { a: 'not a url' }, {}, 'servers.a: "not a url" is not a URL'],
    [
      'an unknown setting',
      { a: { target: url, lazzy: true } as never },
      {},
      'servers.a.lazzy: no such option',
    ],
    [
      'an unknown option of a client',
      { a: { target: url, options: { tiemouts: {} } as never } },
      {},
      'servers.a: tiemouts: no such option',
    ],
    ['an unknown option', { a: url }, { lazzy: true }, 'lazzy: no such option'],
    [
      'an option of clients',
      { a: url },
      { whenAway: 'fail' } as never,
      'whenAway: an option of clients; give it as shared.whenAway',
    ],
    [
      'an option of the client of a server',
      { a: { target: url, retry: {} } as never },
      {},
      'servers.a.retry: an option of clients; give it as servers.a.options.retry',
    ],
    ['a limit that is none', { a: url }, { maxInFlight: 1.5 }, 'maxInFlight'],
    ['no patterns', { a: { target: url, tools: { include: [] } } }, {}, 'servers.a.tools.include'],
    [
      'one name for two tools',
      { a: { target: url, tools: { override: { x: { name: 'z' }, y: { name: 'z' } } } } },
      {},
      'servers.a.tools.override.y.name: x is shown as z already',
    ],
    [
      'a name that is not that of its key',
      { a: { target: url, name: 'b' } as never },
      {},
      'servers.a.name',
    ],
    ['a source that is none', { a: { client: {} as never } }, {}, 'servers.a.client'],
  ];
  it.each(wrong)('is refused: %s', (_what, servers, options, message) => {
    expect(() => createGroup(servers, { lazy: true, ...options })).toThrow(TypeError);
    expect(() => createGroup(servers, { lazy: true, ...options })).toThrow(message);
  });
});
