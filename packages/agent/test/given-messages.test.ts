import type Anthropic from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { createAgent } from '../src/index.ts';
import { fakeSource, said } from './support/fake-source.ts';
import { collect, done, png, setup } from './support/setup.ts';

const look = {
  name: 'look',
  run: () => ({ content: [{ type: 'image' as const, data: png, mimeType: 'image/png' }] }),
};
const fail = {
  name: 'fail',
  run: () => {
    throw new Error('no');
  },
};

test('an agent resumes the messages of another', async () => {
  const clients = [fakeSource('demo', [look, fail])];
  const first = await setup(
    [
      { text: 'So.', calls: [{ name: 'look', id: 'toolu_1' }, { name: 'fail' }] },
      { text: 'Seen.', thinking: 'Hm' },
      { text: 'A long', stopReason: 'max_tokens' },
    ],
    { clients },
  );
  await collect(first.agent.send('Look'));
  await collect(first.agent.send('Tell'));
  const kept = JSON.stringify(first.agent.messages);
  const messages = JSON.parse(kept) as Anthropic.MessageParam[];

  const second = await setup([{ calls: [{ name: 'look', id: 'toolu_1' }] }, { text: 'Again.' }], {
    clients,
    messages,
  });
  expect(second.agent.messages).toEqual(first.agent.messages);
  expect(done(await collect(second.agent.send('Again'))).text).toBe('Again.');
  expect(JSON.stringify(messages)).toBe(kept);
  expect(JSON.stringify(second.agent.messages).startsWith(kept.slice(0, -1))).toBe(true);
  second.agent.reset();
  expect(second.agent.messages).toEqual([]);
});

test('its calls are defined also where there are no tools any more', async () => {
  const messages: Anthropic.MessageParam[] = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'old', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'done' }] },
  ];
  const { agent, claude } = await setup([{ calls: [{ name: 'old' }] }, { text: 'Gone.' }], {
    clients: [],
    messages,
  });
  expect(done(await collect(agent.send('And?'))).text).toBe('Gone.');
  expect(claude.bodies()[0]?.tools).toMatchObject([{ name: 'old' }]);
});

test('breakpoints of another program do not add up', async () => {
  const cache_control = { type: 'ephemeral' as const };
  const messages = ['a', 'b', 'c', 'd', 'e', 'f'].map((text, index) => ({
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    content: [{ type: 'text' as const, text, cache_control }],
  }));
  const { agent } = await setup([{ text: 'Ok.' }], {
    clients: [fakeSource('demo', [{ name: 'echo', run: () => said('x') }])],
    messages,
  });
  expect(done(await collect(agent.send('Hi'))).text).toBe('Ok.');
});

const use = { type: 'tool_use', id: 't1', name: 'a', input: {} };
const result = { type: 'tool_result', tool_use_id: 't1', content: 'x' };
test.each<[unknown, string]>([
  ['Hi', 'messages must be an array'],
  [[7], 'messages.0 must be an object'],
  [[{ role: 'assistant', content: 'a' }], 'messages.0 must be of the user'],
  [
    [
      { role: 'user', content: 'a' },
      { role: 'user', content: 'a' },
    ],
    'messages.1 must be of the assistant',
  ],
  [[{ role: 'user', content: [] }], 'messages.0 must have content'],
  [[{ role: 'user', content: ['a'] }], 'messages.0 must have content of blocks'],
  [[{ role: 'user', content: [result] }], 'messages.0 has a result'],
  [
    [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: [use] },
    ],
    'messages.1 has tool calls',
  ],
  [
    [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: [result] },
    ],
    'messages.1 has tool calls',
  ],
  [
    [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: [use, use] },
      { role: 'user', content: [result, result] },
    ],
    'messages.1 has a tool call whose id "t1" was used before',
  ],
])('refuses messages that the API would not take: %j', (messages, message) => {
  const wrong = messages as Anthropic.MessageParam[];
  expect(() => createAgent({ clients: [], messages: wrong })).toThrow(message);
  expect(() => createAgent({ clients: [], messages: wrong })).toThrow(TypeError);
});
