import { expect, test } from 'vitest';
import { fakeSource, said } from './support/fake-source.ts';
import type { Interception } from './support/recording-proxy.ts';
import { collect, done, ofType, setup } from './support/setup.ts';

test('offers the tools of several servers under unique names, and calls the right ones', async () => {
  const run = (text: string) => () => said(text);
  const east = fakeSource('East Wing', [
    { name: 'get.user', run: run('east') },
    { name: 'x'.repeat(80), run: run('long') },
  ]);
  const west = fakeSource('west', [{ name: 'get.user', run: run('west') }, { name: 'only' }]);
  const again = fakeSource('west', [{ name: 'get.user', run: run('again') }]);
  const { agent, claude } = await setup(
    [(tools) => ({ calls: tools.map((name) => ({ name })) }), { text: 'Done.' }],
    { clients: [east, west, again] },
  );
  const events = await collect(agent.send('All'));

  const [first, second] = claude.bodies();
  expect(first?.tools?.map(({ name }) => name)).toEqual([
    'East_Wing__get_user',
    expect.stringMatching(/^East_Wing__x+_[0-9a-f]{8}$/),
    'west__get_user',
    'west__only',
    'west-2__get_user',
  ]);
  expect(ofType(events, 'tool-call').map(({ server, tool }) => [server, tool])).toEqual([
    ['East Wing', 'get.user'],
    ['East Wing', 'x'.repeat(80)],
    ['west', 'get.user'],
    ['west', 'only'],
    ['west', 'get.user'],
  ]);
  const content = second?.messages[2]?.content;
  expect(content).toMatchObject(
    ['east', 'long', 'west', 'only ran', 'again'].map((text) => ({ content: [{ text }] })),
  );
});

test('understands a plain name where only one server has it', async () => {
  const east = fakeSource('east', [{ name: 'shared' }]);
  const west = fakeSource('west', [{ name: 'shared' }, { name: 'only' }]);
  const { agent } = await setup(
    [{ calls: [{ name: 'only' }, { name: 'shared' }] }, { text: 'Done.' }],
    { clients: [east, west] },
  );
  const events = await collect(agent.send('Go'));
  expect(ofType(events, 'tool-result').map(({ tool, isError }) => [tool, isError])).toEqual([
    ['shared', true],
    ['only', false],
  ]);
  expect(west.calls).toEqual([{ name: 'only', args: {} }]);
});

test('asks for the tools once, and again when they changed', async () => {
  const source = fakeSource('demo', []);
  const late = { name: 'late' };
  source.tools = [
    {
      name: 'grow',
      run: () => {
        source.tools = [...source.tools, late];
        source.changed();
        return said('grown');
      },
    },
  ];
  const { agent, claude } = await setup(
    [
      { text: 'Hi.' },
      { calls: [{ name: 'grow' }] },
      { calls: [{ name: 'late' }] },
      { text: 'Done.' },
    ],
    { clients: [source] },
  );
  await collect(agent.send('Hi'));
  await collect(agent.send('Grow'));
  expect(source.listings).toBe(2);
  expect(claude.bodies().map(({ tools }) => tools?.map(({ name }) => name))).toEqual([
    ['grow'],
    ['grow'],
    ['grow', 'late'],
    ['grow', 'late'],
  ]);
  expect(source.calls.map(({ name }) => name)).toEqual(['grow', 'late']);
});

test('continues without a server that cannot list its tools, and asks it again next time', async () => {
  const good = fakeSource('good', [{ name: 'echo' }]);
  const bad = fakeSource('bad', [{ name: 'broken' }]);
  bad.failListing = new Error('down');
  const { agent, claude } = await setup(
    [{ calls: [{ name: 'good__echo' }] }, { text: 'One.' }, { text: 'Two.' }, { text: 'Three.' }],
    { clients: [good, bad] },
  );
  const first = await collect(agent.send('1'));
  expect(done(first).text).toBe('One.');
  expect(ofType(first, 'source-failed')).toEqual([
    { type: 'source-failed', server: 'bad', error: bad.failListing },
  ]);
  expect(bad.listings).toBe(1);

  bad.failListing = undefined;
  expect(ofType(await collect(agent.send('2')), 'source-failed')).toEqual([]);
  bad.failListing = new Error('down again');
  bad.changed();
  expect(ofType(await collect(agent.send('3')), 'source-failed')).toHaveLength(1);
  expect(claude.bodies().map(({ tools }) => tools?.map(({ name }) => name))).toEqual([
    ['good__echo'],
    ['good__echo'],
    ['good__echo', 'bad__broken'],
    ['good__echo', 'bad__broken'],
  ]);
});

test('excludes a tool that the API rejects, and keeps the others', async () => {
  const source = fakeSource('demo', [{ name: 'bad' }, { name: 'good' }]);
  const { agent, claude } = await setup([{ text: 'One.' }, { text: 'Two.' }, { text: 'Three.' }], {
    clients: [source],
  });
  const message = 'tools.0.custom.input_schema: JSON schema is invalid';
  const body = { type: 'error', error: { type: 'invalid_request_error', message } };
  claude.proxy.next({ type: 'answer', status: 400, body });
  const events = await collect(agent.send('Hi'));
  expect(done(events).text).toBe('One.');
  expect(ofType(events, 'tool-omitted')).toEqual([
    {
      type: 'tool-omitted',
      server: 'demo',
      tool: 'bad',
      reason: message,
    },
  ]);
  source.changed();
  const again = await collect(agent.send('Hi'));
  expect(claude.bodies().map(({ tools }) => tools?.map(({ name }) => name))).toEqual([
    ['bad', 'good'],
    ['good'],
    ['good'],
  ]);
  expect(ofType(again, 'tool-omitted')).toEqual([]);

  source.tools = [{ name: 'bad', description: 'Mended.' }, { name: 'good' }];
  source.changed();
  await collect(agent.send('Hi'));
  expect(claude.bodies()[3]?.tools?.map(({ name }) => name)).toEqual(['bad', 'good']);
});

/** What the API answers to a tool that it will not take. */
function rejection(path: string): Interception {
  const message = `tools.${path}: JSON schema is invalid. It must match JSON Schema draft 2020-12`;
  const error = { type: 'invalid_request_error', message };
  return { type: 'answer', status: 400, body: { type: 'error', error } };
}

function names(tools: readonly { name: string }[] | undefined): string[] | undefined {
  return tools?.map(({ name }) => name);
}

test('thirty tools in which the same is wrong cost one request', async () => {
  const bad = Array.from({ length: 30 }, (_, n) => ({
    name: `bad_${n}`,
    inputSchema: {
      type: 'object' as const,
      properties: { [`p${n}`]: { type: 'string', format: 'odd-format' } },
    },
  }));
  const source = fakeSource('demo', [...bad, { name: 'good' }]);
  const { agent, claude } = await setup([{ text: 'One.' }, { text: 'Two.' }], {
    clients: [source],
  });
  claude.proxy.next(rejection('0.custom.input_schema.properties.p0.format'));
  const events = await collect(agent.send('Hi'));
  expect(ofType(events, 'tool-omitted').map(({ tool }) => tool)).toEqual(
    bad.map(({ name }) => name),
  );
  source.changed();
  expect(ofType(await collect(agent.send('Hi')), 'tool-omitted')).toEqual([]);
  expect(claude.bodies().map(({ tools }) => tools?.length)).toEqual([31, 1, 1]);
});

test('so do thirty tools with one schema, where the API does not say what is wrong', async () => {
  const inputSchema = { type: 'object' as const, properties: { a: { pattern: '(?<a>x)' } } };
  const bad = Array.from({ length: 30 }, (_, n) => ({ name: `bad_${n}`, inputSchema }));
  const source = fakeSource('demo', [...bad, { name: 'good' }]);
  const { agent, claude } = await setup([{ text: 'One.' }], { clients: [source] });
  claude.proxy.next(rejection('3.custom.input_schema'));
  expect(ofType(await collect(agent.send('Hi')), 'tool-omitted')).toHaveLength(30);
  expect(claude.bodies().map(({ tools }) => tools?.length)).toEqual([31, 1]);
});

test('tools that are refused one by one cost five requests a turn, and no other server anything', async () => {
  const bad = Array.from({ length: 7 }, (_, n) => ({ name: `bad_${n}` }));
  const source = fakeSource('demo', [{ name: 'old' }]);
  const other = fakeSource('other', [{ name: 'fine' }]);
  const { agent, claude } = await setup([{ text: 'One.' }, { text: 'Two.' }, { text: 'Three.' }], {
    clients: [source, other],
  });
  await collect(agent.send('1'));
  source.tools = [...bad, { name: 'new' }, { name: 'old' }];
  source.changed();
  for (let n = 0; n < 5; n++) claude.proxy.next(rejection('0.custom.input_schema'));
  expect(done(await collect(agent.send('2'))).text).toBe('Two.');
  claude.proxy.next(rejection('0.custom.input_schema'));
  claude.proxy.next(rejection('0.custom.input_schema'));
  expect(done(await collect(agent.send('3'))).text).toBe('Three.');
  const all = claude.bodies().map(({ tools }) => names(tools));
  expect(all[6]).toEqual(['demo__old', 'other__fine']);
  expect(all.at(-1)).toEqual(['demo__new', 'demo__old', 'other__fine']);
  expect(all).toHaveLength(10);
});

test('excludes tools with property names that the API rejects, before it is asked', async () => {
  const withProperty = (name: string, key: string) => ({
    name,
    inputSchema: { type: 'object' as const, properties: { [key]: {} } },
  });
  const source = fakeSource('demo', [
    withProperty('bracket', 'filter[id]'),
    withProperty('long', 'x'.repeat(65)),
    withProperty('empty', ''),
    withProperty('fine', `a.b-c_D9${'x'.repeat(56)}`),
    {
      name: 'branch',
      inputSchema: { type: 'object', anyOf: [{ properties: { $top: {} } }] },
    },
  ]);
  const { agent, claude } = await setup([{ text: 'Ok.' }], { clients: [source] });
  const events = await collect(agent.send('Hi'));
  expect(ofType(events, 'tool-omitted').map(({ tool, reason }) => [tool, reason])).toEqual([
    ['bracket', expect.stringMatching(/property names.*"filter\[id\]"$/)],
    ['long', expect.stringContaining('"xxx')],
    ['empty', expect.stringMatching(/""$/)],
    ['branch', expect.stringContaining('"$top"')],
  ]);
  expect(claude.bodies().map(({ tools }) => tools?.map(({ name }) => name))).toEqual([['fine']]);
});

test('a conversation with calls keeps the last tools when all are gone', async () => {
  const source = fakeSource('demo', []);
  const vanish = () => {
    source.tools = [];
    source.changed();
    return said('gone');
  };
  source.tools = [{ name: 'vanish', run: vanish }];
  const { agent, claude } = await setup(
    [
      { calls: [{ name: 'vanish' }] },
      { calls: [{ name: 'vanish' }] },
      { text: 'Gone.' },
      { text: 'Still gone.' },
      { text: 'Fresh.' },
    ],
    { clients: [source] },
  );
  const events = await collect(agent.send('Vanish'));
  await collect(agent.send('And now?'));
  agent.reset();
  await collect(agent.send('Hi'));

  expect(source.calls).toHaveLength(1);
  expect(ofType(events, 'tool-result').map(({ isError }) => isError)).toEqual([false, true]);
  const bodies = claude.bodies();
  expect(bodies.map(({ tools }) => tools?.map(({ name }) => name))).toEqual([
    ['vanish'],
    ['vanish'],
    ['vanish'],
    ['vanish'],
    undefined,
  ]);
  expect(bodies[2]?.messages[4]?.content).toMatchObject([
    { is_error: true, content: [{ text: expect.stringContaining('no tool named "vanish"') }] },
  ]);
});

test('the last tools that are kept are those that the API took', async () => {
  const source = fakeSource('demo', []);
  const change = () => {
    source.tools = [{ name: 'bad' }];
    source.changed();
    return said('changed');
  };
  source.tools = [{ name: 'change', run: change }];
  const { agent, claude } = await setup([{ calls: [{ name: 'change' }] }, { text: 'Ok.' }], {
    clients: [source],
  });
  const message = 'tools.0.custom.input_schema: JSON schema is invalid';
  const body = { type: 'error', error: { type: 'invalid_request_error', message } };
  claude.proxy.next('pass');
  claude.proxy.next({ type: 'answer', status: 400, body });
  expect(done(await collect(agent.send('Change'))).text).toBe('Ok.');
  expect(claude.bodies().map(({ tools }) => tools?.map(({ name }) => name))).toEqual([
    ['change'],
    ['bad'],
    ['change'],
  ]);
});

test('says in words what the API does not take at the root of a schema', async () => {
  const anyOf = [{ required: ['id'] }, { required: ['url'], properties: { url: {} } }];
  const inputSchema = {
    type: 'object' as const,
    properties: { id: { type: 'string' } },
    anyOf,
  };
  const source = fakeSource('demo', [
    { name: 'either', description: 'Either.', inputSchema },
    { name: 'never', inputSchema: { type: 'string' } as unknown as { type: 'object' } },
  ]);
  const { agent, claude } = await setup([{ text: 'Ok.' }], { clients: [source] });
  const events = await collect(agent.send('Hi'));
  expect(ofType(events, 'tool-omitted').map(({ tool }) => tool)).toEqual(['never']);
  expect(claude.bodies()[0]?.tools).toMatchObject([
    {
      name: 'either',
      description: `Either.\n\nThe arguments must also match this JSON Schema: ${JSON.stringify({ anyOf })}`,
      input_schema: { type: 'object', properties: { id: { type: 'string' }, url: {} } },
    },
  ]);
});
