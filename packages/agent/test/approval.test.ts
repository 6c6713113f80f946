import { expect, test } from 'vitest';
import type { ApprovalRequest } from '../src/index.ts';
import { fakeSource } from './support/fake-source.ts';
import { collect, deferred, done, ofType, setup } from './support/setup.ts';

test('asks only before tools that may change things', async () => {
  const source = fakeSource('demo', [
    { name: 'plain' },
    { name: 'reads', annotations: { readOnlyHint: true } },
    { name: 'adds', annotations: { destructiveHint: false } },
    { name: 'deletes', annotations: { readOnlyHint: false, destructiveHint: true } },
  ]);
  const asked: ApprovalRequest[] = [];
  const { agent } = await setup(
    [
      { calls: source.tools.map(({ name }) => ({ name, arguments: { of: name } })) },
      { text: 'Done.' },
    ],
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
      tool: 'plain',
      arguments: { of: 'plain' },
      annotations: undefined,
      signal: expect.any(AbortSignal),
    },
    {
      server: 'demo',
      tool: 'deletes',
      arguments: { of: 'deletes' },
      annotations: { readOnlyHint: false, destructiveHint: true },
      signal: expect.any(AbortSignal),
    },
  ]);
  expect(source.calls).toHaveLength(4);
});

test('makes every call when there is nobody to ask', async () => {
  const source = fakeSource('demo', [{ name: 'deletes', annotations: { destructiveHint: true } }]);
  const { agent } = await setup([{ calls: [{ name: 'deletes' }] }, { text: 'Gone.' }], {
    clients: [source],
  });
  await collect(agent.send('Delete'));
  expect(source.calls).toHaveLength(1);
});

test('tells Claude of a refusal, and makes the other calls', async () => {
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

test('what the hook throws ends the turn, and the conversation can go on', async () => {
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
