import Anthropic from '@anthropic-ai/sdk';
import { createGroup } from '@longwire/client/group';
import { describe, expect, test } from 'vitest';
import {
  createAgent,
  type AgentOptions,
  type ApprovalDecision,
  type ApprovalHook,
  type ApprovalOptions,
  type ApprovalRequest,
} from '../src/index.ts';
import { fakeSource, type FakeTool } from './support/fake-source.ts';
import { collect, deferred, done, ofType, setup } from './support/setup.ts';

const hinted = [
  { name: 'plain' },
  { name: 'reads', annotations: { readOnlyHint: true } },
  { name: 'adds', annotations: { destructiveHint: false } },
  { name: 'deletes', annotations: { readOnlyHint: false, destructiveHint: true } },
];
const all = hinted.map(({ name }) => name);

/** Which of the tools above are asked about, by what was said of the sources and of whom to ask. */
async function askedAbout(
  clients: AgentOptions['clients'],
  ask?: ApprovalOptions['ask'],
): Promise<string[]> {
  const asked: string[] = [];
  const hook: ApprovalHook = ({ tool }) => {
    asked.push(tool);
    return true;
  };
  const { agent } = await setup(
    [(tools) => ({ calls: tools.map((name) => ({ name })) }), { text: 'Done.' }],
    { clients, approve: ask === undefined ? hook : { ask, hook } },
  );
  const events = await collect(agent.send('All'));
  expect(ofType(events, 'tool-result').every(({ isError }) => !isError)).toBe(true);
  return asked;
}

test('asks before every tool of a server that nobody called trusted', async () => {
  expect(await askedAbout([fakeSource('demo', hinted)])).toEqual(all);
});

test('of a trusted server, asks only before tools that may change things', async () => {
  const source = fakeSource('demo', hinted);
  source.trusted = true;
  expect(await askedAbout([source])).toEqual(['plain', 'deletes']);
  expect(await askedAbout([source], 'changing')).toEqual(['plain', 'deletes']);
  expect(await askedAbout([source], 'always')).toEqual(all);
  expect(await askedAbout([source], ({ tool }) => tool !== 'deletes')).toEqual(all.slice(0, 3));
  expect(await askedAbout([source], (() => undefined) as never)).toEqual(all);
});

test('in a group each server is trusted by itself, and the word of the program counts', async () => {
  const group = createGroup([
    { name: 'a', client: fakeSource('a', hinted), trusted: true },
    { name: 'b', client: fakeSource('b', hinted) },
    {
      name: 'c',
      client: Object.assign(fakeSource('c', hinted), { trusted: true }),
      tools: { override: { reads: { annotations: { readOnlyHint: false } } } },
    },
    {
      name: 'd',
      client: Object.assign(fakeSource('d', hinted), { trusted: true }),
      trusted: false,
      tools: { override: { plain: { name: 'own', annotations: { readOnlyHint: true } } } },
    },
  ]);
  expect(await askedAbout([group])).toEqual([
    'a__plain',
    'a__deletes',
    ...all.map((name) => `b__${name}`),
    'c__plain',
    'c__reads',
    'c__deletes',
    'd__reads',
    'd__adds',
    'd__deletes',
  ]);
  await group.close();
});

test('shows the whole definition of the tool', async () => {
  const asked: ApprovalRequest[] = [];
  const [, , , deletes] = hinted;
  const source = fakeSource('demo', [{ ...(deletes as FakeTool), description: 'Deletes it.' }]);
  const { agent } = await setup(
    [{ calls: [{ name: 'deletes', arguments: { of: 'it' } }] }, { text: 'Done.' }],
    {
      clients: [source],
      approve: (request) => {
        asked.push(request);
        return true;
      },
    },
  );
  await collect(agent.send('All'));
  expect(asked).toEqual([
    {
      server: 'demo',
      tool: 'deletes',
      arguments: { of: 'it' },
      annotations: { readOnlyHint: false, destructiveHint: true },
      definition: {
        name: 'deletes',
        description: 'Deletes it.',
        inputSchema: { type: 'object' },
        annotations: { readOnlyHint: false, destructiveHint: true },
      },
      previous: undefined,
      signal: expect.any(AbortSignal),
    },
  ]);
});

describe('a tool that was always allowed', () => {
  const base: FakeTool = {
    name: 'it',
    description: 'Reads.',
    inputSchema: { type: 'object', properties: { a: { type: 'string' } } },
    annotations: { readOnlyHint: true },
  };
  const changes: [string, Partial<FakeTool>][] = [
    ['hints', { annotations: { readOnlyHint: true, destructiveHint: true } }],
    ['description', { description: 'Reads. And deletes.' }],
    ['schema', { inputSchema: { type: 'object', properties: { a: {}, b: {} } } }],
  ];

  /** Calls it in three turns, with a change between the second and the third. */
  async function ask(
    change: Partial<FakeTool>,
    decision: ApprovalDecision,
  ): Promise<{ asked: ApprovalRequest[]; calls: number }> {
    const source = fakeSource('demo', [base]);
    const asked: ApprovalRequest[] = [];
    const turn = [{ calls: [{ name: 'it' }] }, { text: 'Done.' }];
    const { agent } = await setup([...turn, ...turn, ...turn], {
      clients: [source],
      approve: (request) => {
        asked.push(request);
        return request.previous === undefined ? decision : false;
      },
    });
    await collect(agent.send('1'));
    agent.reset();
    await collect(agent.send('2'));
    source.tools = [{ ...base, ...change }];
    source.changed();
    await collect(agent.send('3'));
    return { asked, calls: source.calls.length };
  }

  test.each(changes)(
    'is asked about anew with other %s, and the change is told',
    async (_, change) => {
      const { asked, calls } = await ask(change, 'always');
      expect(asked).toHaveLength(2);
      expect(asked[1]).toMatchObject({ definition: change, previous: base });
      expect(calls).toBe(2);
    },
  );

  test('is not asked about while it is the same, in whatever order', async () => {
    const inputSchema = { properties: { a: { type: 'string' } }, type: 'object' as const };
    expect(await ask({ inputSchema }, { allow: 'always' })).toMatchObject({ calls: 3 });
  });

  test('once is once', async () => {
    const { asked } = await ask({}, true);
    expect(asked).toHaveLength(3);
    expect(asked.map(({ previous }) => previous)).toEqual([undefined, undefined, undefined]);
  });

  test('goes for no tool of that name elsewhere', async () => {
    const [one, two] = [fakeSource('one', [base]), fakeSource('two', [base])];
    const asked: string[] = [];
    const { agent } = await setup(
      [{ calls: [{ name: 'one__it' }] }, { calls: [{ name: 'two__it' }] }, { text: 'Done.' }],
      {
        clients: [one, two],
        approve: ({ server }) => {
          asked.push(server);
          return 'always';
        },
      },
    );
    await collect(agent.send('Go'));
    expect(asked).toEqual(['one', 'two']);
  });
});

test('hints that change while Claude writes count as they are when it asks', async () => {
  const source = fakeSource('demo', [{ name: 'it', annotations: { readOnlyHint: true } }]);
  source.trusted = true;
  const asked: ApprovalRequest[] = [];
  const { agent } = await setup(
    [
      () => {
        source.tools = [{ name: 'it', annotations: { destructiveHint: true } }];
        source.changed();
        return { calls: [{ name: 'it' }] };
      },
      { text: 'Done.' },
    ],
    {
      clients: [source],
      approve: (request) => {
        asked.push(request);
        return false;
      },
    },
  );
  await collect(agent.send('Go'));
  expect(asked).toMatchObject([{ annotations: { destructiveHint: true } }]);
  expect(source.calls).toEqual([]);
});

test('a tool that changes while the question is open does not run', async () => {
  const source = fakeSource('demo', [{ name: 'it', description: 'Reads.' }]);
  const { agent, claude } = await setup([{ calls: [{ name: 'it' }] }, { text: 'I see.' }], {
    clients: [source],
    approve: () => {
      source.tools = [{ name: 'it', description: 'Deletes.' }];
      source.changed();
      return 'always';
    },
  });
  const events = await collect(agent.send('Go'));
  expect(ofType(events, 'tool-refused')).toMatchObject([
    { tool: 'it', reason: 'the tool changed before it could be called' },
  ]);
  expect(source.calls).toEqual([]);
  expect(JSON.stringify(claude.bodies()[1]?.messages[2]?.content)).toContain('the tool changed');
});

test.each([undefined, null, 'yes', 'no', 1, {}, { allow: 'yes' }, { allow: undefined }])(
  'only what says yes is a yes: %j is none',
  async (answer) => {
    const source = fakeSource('demo', [{ name: 'it' }]);
    const { agent } = await setup([{ calls: [{ name: 'it' }] }, { text: 'I see.' }], {
      clients: [source],
      approve: () => answer as never,
    });
    expect(ofType(await collect(agent.send('Go')), 'tool-refused')).toHaveLength(1);
    expect(source.calls).toEqual([]);
  },
);

test('names the option that does not exist, and the near one', () => {
  const make = (options: object) => () => createAgent({ clients: [], ...options });
  expect(make({ approv: () => true })).toThrow(
    new TypeError('approv is not an option; did you mean approve?'),
  );
  expect(make({ zzzzzzzz: 1 })).toThrow(/^zzzzzzzz is not an option; there are clients, model/);
  const hook = (): boolean => true;
  const wrong: [unknown, RegExp][] = [
    [true, /^approve must be a function/],
    [null, /^approve must be a function/],
    [{}, /^approve\.hook must be a function/],
    [{ ask: hook }, /^approve\.hook must be a function/],
    [{ hook, ask: 'never' }, /^approve\.ask must be/],
    [{ hook, aks: 'always' }, /^approve\.aks is not an option; did you mean ask\?/],
  ];
  for (const [approve, message] of wrong) {
    expect(make({ approve })).toThrow(TypeError);
    expect(make({ approve })).toThrow(message);
  }
  expect(make({ request: { temprature: 1 } })).toThrow(/^request\.temprature is not an option/);
  const agent = createAgent({ clients: [], anthropic: new Anthropic({ apiKey: 'k' }) });
  expect(() => agent.send('Hi', { singal: 1 } as object)).toThrow(
    /^singal is not an option; did you mean signal\?/,
  );
});

test('makes every call when there is nobody to ask', async () => {
  const source = fakeSource('demo', [{ name: 'deletes', annotations: { destructiveHint: true } }]);
  const { agent } = await setup([{ calls: [{ name: 'deletes' }] }, { text: 'Gone.' }], {
    clients: [source],
  });
  await collect(agent.send('Delete'));
  expect(source.calls).toHaveLength(1);
});

test('tells Claude of a declined call, and makes the other calls', async () => {
  const source = fakeSource('demo', [{ name: 'one' }, { name: 'two' }, { name: 'three' }]);
  const { agent, claude } = await setup(
    [{ calls: [{ name: 'one' }, { name: 'two' }, { name: 'three' }] }, { text: 'I see.' }],
    {
      clients: [source],
      approve: ({ tool }) =>
        tool === 'two' || (tool === 'three' && { allow: false, reason: 'too dear' }),
    },
  );
  const events = await collect(agent.send('All'));
  expect(done(events).reason).toBe('end-turn');
  expect(ofType(events, 'tool-refused').map(({ tool, reason }) => [tool, reason])).toEqual([
    ['one', undefined],
    ['three', 'too dear'],
  ]);
  expect(ofType(events, 'tool-result').map(({ tool }) => tool)).toEqual(['two']);
  expect(source.calls.map(({ name }) => name)).toEqual(['two']);
  expect(claude.bodies()[1]?.messages[2]?.content).toMatchObject([
    { is_error: true, content: [{ text: expect.stringMatching(/user declined.*did not run/s) }] },
    { content: [{ text: 'two ran' }] },
    { is_error: true, content: [{ text: expect.stringMatching(/: too dear\n.*did not run/) }] },
  ]);
});

test('a reason reaches Claude verbatim, and nobody is said to have declined', async () => {
  const reason = 'nobody could be asked (no terminal); "yes" was not an option';
  const source = fakeSource('demo', [{ name: 'write' }]);
  const { agent, claude } = await setup([{ calls: [{ name: 'write' }] }, { text: 'I see.' }], {
    clients: [source],
    approve: () => ({ allow: false, reason }),
  });
  await collect(agent.send('Write'));
  const told = JSON.stringify(claude.bodies()[1]?.messages[2]?.content);
  expect(told).toContain(JSON.stringify(reason).slice(1, -1));
  expect(told).toContain('did not run');
  expect(told).not.toContain('declined');
});

test('asks one question at a time, and then makes the calls', async () => {
  const source = fakeSource('demo', [{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
  let open = 0;
  const seen: [number, number][] = [];
  const { agent } = await setup(
    [{ calls: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }, { text: 'Done.' }],
    {
      clients: [source],
      approve: async () => {
        open++;
        await new Promise((resolve) => setImmediate(resolve));
        seen.push([open, source.calls.length]);
        open--;
        return true;
      },
    },
  );
  await collect(agent.send('All'));
  expect(seen).toEqual([
    [1, 0],
    [1, 0],
    [1, 0],
  ]);
  expect(source.calls).toHaveLength(3);
});

test('an abort while a question is open takes it back and makes no call', async () => {
  const asked = deferred<AbortSignal>();
  const source = fakeSource('demo', [{ name: 'a' }, { name: 'b' }]);
  const { agent, claude } = await setup(
    [{ calls: [{ name: 'a' }, { name: 'b' }] }, { text: 'Fine.' }],
    {
      clients: [source],
      approve: ({ signal }) => {
        asked.resolve(signal);
        return new Promise(() => {});
      },
    },
  );
  const controller = new AbortController();
  void asked.promise.then(() => controller.abort());
  const events = await collect(agent.send('Both', { signal: controller.signal }));
  expect((await asked.promise).aborted).toBe(true);
  expect(done(events).reason).toBe('aborted');
  expect(source.calls).toEqual([]);
  await collect(agent.send('No'));
  expect(claude.bodies()[1]?.messages[2]?.content).toMatchObject([
    { is_error: true, content: [{ text: expect.stringContaining('did not run') }] },
    { is_error: true, content: [{ text: expect.stringContaining('did not run') }] },
    { text: 'No' },
  ]);
});

test('what the hook throws ends the turn, and the conversation can continue', async () => {
  const source = fakeSource('demo', [{ name: 'a' }]);
  const { agent, claude } = await setup([{ calls: [{ name: 'a' }] }, { text: 'Fine.' }], {
    clients: [source],
    approve: () => {
      throw new RangeError('broken prompt');
    },
  });
  await expect(collect(agent.send('Go'))).rejects.toThrow('broken prompt');
  expect(source.calls).toEqual([]);
  await collect(agent.send('And?'));
  expect(claude.bodies()[1]?.messages[2]?.content).toMatchObject([{ is_error: true }, {}]);
});
