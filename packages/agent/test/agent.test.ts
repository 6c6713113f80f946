import { expect, onTestFinished, test, vi } from 'vitest';
import { AgentStateError, createAgent } from '../src/index.ts';
import { fakeSource, said } from './support/fake-source.ts';
import { collect, deferred, done, ofType, png, setup } from './support/setup.ts';
import { countBreakpoints } from './support/valid-conversation.ts';

const echo = fakeSource('demo', [{ name: 'echo' }]);

test('goes on from what was said elsewhere, with another model', async () => {
  const { agent, claude } = await setup([{ text: 'One.' }, { text: 'Two.' }], { clients: [] });
  agent.append([
    { role: 'assistant', content: 'I am Claude.' },
    { role: 'user', content: 'Good.' },
  ]);
  await collect(agent.send('Go on'));
  agent.useModel('claude-other');
  agent.append([{ role: 'assistant', content: [{ type: 'text', text: 'And more.' }] }]);
  await collect(agent.send('Again'));
  expect(agent.model).toBe('claude-other');
  const [first, second] = claude.bodies();
  expect(first?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  expect(JSON.stringify(first?.messages[2])).toMatch(/Good\..*Go on/);
  expect(second).toMatchObject({ model: 'claude-other' });
  expect(JSON.stringify(second?.messages[3])).toMatch(/One\..*And more\./);
});

test('takes nothing from elsewhere in the middle of a turn', async () => {
  const { agent } = await setup([{ text: 'One.' }], { clients: [] });
  for await (const _ of agent.send('Hi')) {
    expect(() => agent.append([])).toThrow(AgentStateError);
    expect(() => agent.useModel('x')).toThrow(AgentStateError);
    break;
  }
});

test('answers without tools', async () => {
  const { agent, claude } = await setup([{ text: 'Hello there, friend.' }], { clients: [] });
  const events = await collect(agent.send('Hi'));

  expect(ofType(events, 'text').length).toBeGreaterThan(1);
  expect(
    ofType(events, 'text')
      .map(({ text }) => text)
      .join(''),
  ).toBe('Hello there, friend.');
  const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 };
  expect(done(events)).toEqual({
    type: 'done',
    reason: 'end-turn',
    text: 'Hello there, friend.',
    usage,
  });
  const [body] = claude.bodies();
  expect(body).toMatchObject({ model: 'claude-sonnet-5-5', max_tokens: 16_384, stream: true });
  expect(body).not.toHaveProperty('tools');
  expect(body).not.toHaveProperty('system');
});

test('takes as many rounds of tools as it takes, and answers with what came after the last', async () => {
  const source = fakeSource('demo', [
    { name: 'add', run: ({ a, b }) => said(String(Number(a) + Number(b))) },
  ]);
  const { agent, claude } = await setup(
    [
      { text: 'Let me see.', calls: [{ name: 'add', arguments: { a: 1, b: 2 }, id: 'toolu_1' }] },
      { calls: [{ name: 'add', arguments: { a: 3, b: 4 }, id: 'toolu_2' }] },
      { text: 'It is 7.' },
    ],
    { clients: [source] },
  );
  const events = await collect(agent.send('1 + 2 + 4?'));

  expect(done(events)).toMatchObject({ reason: 'end-turn', text: 'It is 7.' });
  expect(done(events).usage).toMatchObject({ inputTokens: 30, outputTokens: 15 });
  expect(ofType(events, 'usage')).toHaveLength(3);
  expect(source.calls).toEqual([
    { name: 'add', args: { a: 1, b: 2 } },
    { name: 'add', args: { a: 3, b: 4 } },
  ]);
  expect(ofType(events, 'tool-call')[0]).toEqual({
    type: 'tool-call',
    id: 'toolu_1',
    server: 'demo',
    tool: 'add',
    arguments: { a: 1, b: 2 },
  });
  expect(ofType(events, 'tool-result')[1]).toEqual({
    type: 'tool-result',
    id: 'toolu_2',
    server: 'demo',
    tool: 'add',
    isError: false,
    result: said('7'),
  });

  const bodies = claude.bodies();
  expect(bodies.map(({ messages }) => messages.length)).toEqual([1, 3, 5]);
  expect(bodies[2]?.messages[1]?.content).toMatchObject([
    { type: 'text', text: 'Let me see.' },
    { type: 'tool_use', id: 'toolu_1', name: 'add', input: { a: 1, b: 2 } },
  ]);
  expect(bodies[2]?.messages[4]?.content).toMatchObject([
    { type: 'tool_result', tool_use_id: 'toolu_2', content: [{ type: 'text', text: '7' }] },
  ]);
});

test('runs the calls of one answer in parallel and gives all results in one message, in order', async () => {
  const firstMayEnd = deferred();
  const source = fakeSource('demo', [
    { name: 'first', run: () => firstMayEnd.promise.then(() => said('one')) },
    {
      name: 'second',
      run: (_, { onProgress }) => {
        onProgress?.({ progress: 1, total: 2 });
        firstMayEnd.resolve();
        return said('two');
      },
    },
  ]);
  const { agent, claude } = await setup(
    [{ calls: [{ name: 'first' }, { name: 'second' }] }, { text: 'Both done.' }],
    { clients: [source] },
  );
  const events = await collect(agent.send('Do both'));

  expect(ofType(events, 'tool-result').map(({ tool }) => tool)).toEqual(['second', 'first']);
  expect(ofType(events, 'tool-progress')).toMatchObject([
    { server: 'demo', tool: 'second', progress: { progress: 1, total: 2 } },
  ]);
  const [, body] = claude.bodies();
  expect(body?.messages).toHaveLength(3);
  expect(body?.messages[2]?.content).toMatchObject([
    { content: [{ text: 'one' }] },
    { content: [{ text: 'two' }] },
  ]);
});

test('keeps the conversation: the second turn sees the first', async () => {
  const { agent, claude } = await setup(
    [
      { calls: [{ name: 'echo', arguments: { text: 'a' } }] },
      { text: 'First.' },
      { text: 'Second.' },
      { text: 'Fresh.' },
    ],
    { clients: [echo] },
  );
  await collect(agent.send('One'));
  const kept = agent.messages;
  await collect(agent.send('Two'));
  expect(kept).toHaveLength(4);
  expect(agent.messages).toHaveLength(6);
  agent.reset();
  expect(agent.messages).toEqual([]);
  await collect(agent.send('Three'));

  const bodies = claude.bodies();
  expect(bodies[2]?.messages.map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
  ]);
  expect(JSON.stringify(bodies[2]?.messages)).toContain('"First."');
  expect(bodies[3]?.messages).toHaveLength(1);
});

test('passes schemas and descriptions on unchanged', async () => {
  const inputSchema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object' as const,
    properties: {
      symbols: { type: 'array', items: { $ref: '#/$defs/symbol' }, minItems: 1 },
      interval: { type: 'string', enum: ['1m', '1h'], default: '1h' },
      limit: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null },
    },
    required: ['symbols'],
    additionalProperties: false,
    $defs: { symbol: { type: 'string', pattern: '^[A-Z]+$' } },
  };
  const source = fakeSource('demo', [
    { name: 'prices', description: 'Streams prices.', inputSchema },
    { name: 'bare' },
  ]);
  const { agent, claude } = await setup([{ text: 'ok' }], { clients: [source] });
  await collect(agent.send('Hi'));

  const [prices, bare] = claude.bodies()[0]?.tools ?? [];
  expect(prices).toEqual({
    name: 'prices',
    description: 'Streams prices.',
    input_schema: inputSchema,
  });
  expect(bare).toEqual({
    name: 'bare',
    input_schema: { type: 'object' },
    cache_control: { type: 'ephemeral' },
  });
});

test('sends a schema byte for byte as it came', async () => {
  const inputSchema = {
    $defs: { 'any key': { oneOf: [{ const: 'a' }, { const: 'b' }] }, node: { $ref: '#/$defs/x' } },
    properties: {
      z: { description: 'Last first.', default: { b: 1, a: [null, 0.5] }, enum: [2, '1', null] },
      choice: { anyOf: [{ type: 'integer' }, { allOf: [{ type: 'string' }, { minLength: 1 }] }] },
      nested: { type: 'object', properties: { 'filter[id]': { $ref: '#/$defs/any key' } } },
    },
    type: 'object' as const,
    'x-order': ['z', 'choice'],
    required: ['z'],
  };
  const source = fakeSource('demo', [{ name: 'odd', inputSchema }, { name: 'last' }]);
  const { agent, claude } = await setup([{ text: 'ok' }], { clients: [source] });
  await collect(agent.send('Hi'));
  expect(claude.proxy.requests[0]?.text).toContain(
    `{"name":"odd","input_schema":${JSON.stringify(inputSchema)}}`,
  );
});

test('puts cache breakpoints on tools, system prompt and the newest user messages, and no more', async () => {
  const source = fakeSource('demo', [{ name: 'echo' }, { name: 'other' }]);
  const { agent, claude } = await setup(
    [
      { calls: [{ name: 'echo' }, { name: 'other' }] },
      { calls: [{ name: 'echo' }] },
      { text: 'First.' },
      { text: 'Second.' },
    ],
    { clients: [source], system: 'Be brief.' },
  );
  await collect(agent.send('One'));
  await collect(agent.send([{ type: 'text', text: 'Two', cache_control: { type: 'ephemeral' } }]));

  const bodies = claude.bodies();
  expect(bodies.map(countBreakpoints)).toEqual([3, 4, 4, 4]);
  const breakpoint = { type: 'ephemeral' };
  for (const { system, tools, messages } of bodies) {
    expect(system).toEqual([{ type: 'text', text: 'Be brief.', cache_control: breakpoint }]);
    expect(tools?.map(({ cache_control: control }) => control)).toEqual([undefined, breakpoint]);
    const last = messages.at(-1)?.content;
    expect(typeof last === 'object' && last.at(-1)?.cache_control).toEqual(breakpoint);
  }
  expect(JSON.stringify(agent.messages)).not.toContain('cache_control');
  expect(bodies[3]?.messages.slice(0, 2)).not.toContainEqual(
    expect.objectContaining({ content: [expect.objectContaining({ cache_control: breakpoint })] }),
  );
});

test('shows images, and sends them', async () => {
  const source = fakeSource('demo', [
    {
      name: 'chart',
      run: () => ({ content: [{ type: 'image', data: png, mimeType: 'image/png' }] }),
    },
  ]);
  const { agent, claude } = await setup([{ calls: [{ name: 'chart' }] }, { text: 'Nice.' }], {
    clients: [source],
  });
  const image = {
    type: 'image' as const,
    source: { type: 'base64' as const, media_type: 'image/png' as const, data: png },
  };
  await collect(agent.send([{ type: 'text', text: 'Like this?' }, image]));

  const [, body] = claude.bodies();
  expect(body?.messages[0]?.content).toMatchObject([{ type: 'text' }, image]);
  expect(body?.messages[2]?.content).toMatchObject([{ type: 'tool_result', content: [image] }]);
});

test('keeps thinking, which the API wants back with the tool results', async () => {
  const { agent, claude } = await setup(
    [{ thinking: 'Hmm, the echo.', calls: [{ name: 'echo' }] }, { text: 'Done.' }],
    { clients: [echo], request: { thinking: { type: 'adaptive' } } },
  );
  const events = await collect(agent.send('Hi'));

  expect(
    ofType(events, 'thinking')
      .map(({ text }) => text)
      .join(''),
  ).toBe('Hmm, the echo.');
  const [, body] = claude.bodies();
  expect(body?.['thinking']).toEqual({ type: 'adaptive' });
  expect(body?.messages[1]?.content).toMatchObject([
    { type: 'thinking', thinking: 'Hmm, the echo.' },
    { type: 'tool_use' },
  ]);
});

test('takes the model from the option, else from the environment, else its own', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('ANTHROPIC_MODEL', '');
  expect(createAgent({ clients: [] }).model).toBe('claude-sonnet-5-5');
  vi.stubEnv('ANTHROPIC_MODEL', 'claude-from-env');
  expect(createAgent({ clients: [] }).model).toBe('claude-from-env');
  expect(createAgent({ clients: [], model: 'claude-option' }).model).toBe('claude-option');
});

test('asks the address and with the key of the environment by default', async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  const { claude } = await setup([{ text: 'Hello.' }], { clients: [] });
  vi.stubEnv('ANTHROPIC_BASE_URL', claude.url);
  vi.stubEnv('ANTHROPIC_API_KEY', 'key-from-env');
  await collect(createAgent({ clients: [] }).send('Hi'));
  expect(claude.proxy.requests[0]?.headers.authorization).toBe('Bearer key-from-env');
});

test('passes the limits of calls to the sources', async () => {
  const source = fakeSource('demo', [{ name: 'echo' }]);
  const callOptions = { timeoutMs: 5000, deadlineMs: Infinity };
  const { agent } = await setup([{ calls: [{ name: 'echo' }] }, { text: 'Done.' }], {
    clients: [source],
    callOptions,
  });
  // What was checked is what is used.
  callOptions.timeoutMs = -1;
  await collect(agent.send('Hi'));
  const limits = { timeoutMs: 5000, deadlineMs: Infinity, signal: expect.any(AbortSignal) };
  expect(source.options).toEqual([
    limits,
    {
      ...limits,
      onProgress: expect.any(Function),
      onWaiting: expect.any(Function),
      onTask: expect.any(Function),
    },
  ]);
});

test('leaves the limits of calls to the sources by default', async () => {
  const source = fakeSource('demo', [{ name: 'echo' }]);
  const { agent } = await setup([{ calls: [{ name: 'echo' }] }, { text: 'Done.' }], {
    clients: [source],
  });
  await collect(agent.send('Hi'));
  expect(source.options.map((options) => Object.keys(options))).toEqual([
    ['signal'],
    ['signal', 'onProgress', 'onWaiting', 'onTask'],
  ]);
});

test('names the option that is wrong', () => {
  expect(() => createAgent({ clients: [], maxRounds: 0 })).toThrow(/^maxRounds/);
  expect(() => createAgent({ clients: [], maxTokens: 1.5 })).toThrow(/^maxTokens/);
  expect(() => createAgent({ clients: [], maxResultChars: -1 })).toThrow(/^maxResultChars/);
  expect(() => createAgent({} as { clients: [] })).toThrow(/^clients/);
  const wrong: [unknown, RegExp][] = [
    [5000, /^callOptions must/],
    [{ timeoutMs: 0 }, /^callOptions\.timeoutMs must/],
    [{ deadlineMs: Number.NaN }, /^callOptions\.deadlineMs must/],
    [{ deadlineMs: '60' }, /^callOptions\.deadlineMs must/],
    [{ timeout: 5000 }, /^callOptions\.timeout is not an option/],
  ];
  for (const [callOptions, message] of wrong) {
    const options = { clients: [], callOptions: callOptions as object };
    expect(() => createAgent(options)).toThrow(TypeError);
    expect(() => createAgent(options)).toThrow(message);
  }
});

test('refuses an empty message, and drops blank parts', async () => {
  const { agent, claude } = await setup([{ text: 'ok' }], { clients: [] });
  expect(() => agent.send(' \n')).toThrow(TypeError);
  expect(() => agent.send([{ type: 'text', text: '' }])).toThrow(TypeError);
  await collect(
    agent.send([
      { type: 'text', text: ' ' },
      { type: 'text', text: 'a\uD800b' },
    ]),
  );
  expect(claude.bodies()[0]?.messages[0]?.content).toMatchObject([{ text: 'a\uFFFDb' }]);
});

test('has one turn at a time', async () => {
  const { agent } = await setup([{ text: 'One.' }, { text: 'Two.' }], { clients: [] });
  const first = agent.send('1')[Symbol.asyncIterator]();
  const early = agent.send('2')[Symbol.asyncIterator]();
  await first.next();
  expect(() => agent.send('3')).toThrow(AgentStateError);
  expect(() => agent.reset()).toThrow(AgentStateError);
  await expect(early.next()).rejects.toThrow(AgentStateError);
  await first.return?.();
  expect(done(await collect(agent.send('4'))).text).toBe('Two.');
});

test('is free for the next turn as soon as one is done', async () => {
  const { agent, claude } = await setup([{ text: 'One.' }, { text: 'Two.' }], { clients: [] });
  for await (const event of agent.send('1')) {
    if (event.type === 'done') expect(done(await collect(agent.send('2'))).text).toBe('Two.');
  }
  expect(claude.bodies()[1]?.messages).toHaveLength(3);
});

test('unsubscribes when it is closed', async () => {
  const source = fakeSource('demo', [{ name: 'echo' }]);
  const { agent } = await setup([{ text: 'Hello.' }], { clients: [source] });
  await collect(agent.send('Hi'));
  expect(source.listeners).toBe(1);
  const unread = agent.send('Hi')[Symbol.asyncIterator]();
  agent[Symbol.dispose]();
  expect(source.listeners).toBe(0);
  expect(() => agent.send('Hi')).toThrow(AgentStateError);
  await expect(unread.next()).rejects.toThrow(AgentStateError);
});
