import { expect, test } from 'vitest';
import { assertValidConversation } from './valid-conversation.ts';
import type { MessagesRequest, WireBlock } from './valid-conversation.ts';

const text = (value: string): WireBlock => ({ type: 'text', text: value });
const use = (id: string): WireBlock => ({ type: 'tool_use', id, name: 'echo', input: {} });
const result = (id: string): WireBlock => ({
  type: 'tool_result',
  tool_use_id: id,
  content: [text('ok')],
});

function request(
  messages: (string | WireBlock[])[],
  rest: Partial<MessagesRequest> = {},
): MessagesRequest {
  return {
    model: 'm',
    max_tokens: 1,
    tools: [{ name: 'echo', input_schema: { type: 'object' } }],
    messages: messages.map((content, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content,
    })),
    ...rest,
  };
}

test('takes what the API takes', () => {
  assertValidConversation(
    request([
      'Hi',
      [text('a'), use('t1'), use('t2')],
      [result('t1'), result('t2'), text('and?')],
      [text('b')],
      [text('c')],
    ]),
  );
});

test.each<[string, MessagesRequest]>([
  ['an unanswered call', request(['Hi', [use('t1')], 'What?'])],
  ['an unanswered call at the end', request(['Hi', [use('t1')]])],
  ['a call answered in part', request(['Hi', [use('t1'), use('t2')], [result('t1')]])],
  ['a call answered twice', request(['Hi', [use('t1')], [result('t1'), result('t1')]])],
  ['a result of another call', request(['Hi', [use('t1')], [result('t2')]])],
  ['results out of order', request(['Hi', [use('a'), use('b')], [result('b'), result('a')]])],
  ['a result behind text', request(['Hi', [use('t1')], [text('x'), result('t1')]])],
  ['a result without a call', request(['Hi', [text('a')], [result('t1')]])],
  ['a result in the beginning', request([[result('t1')]])],
  ['a repeated id', request(['Hi', [use('t1')], [result('t1')], [use('t1')], [result('t1')]])],
  ['blank text', request(['Hi', [text(' ')], 'x'])],
  ['an empty message', request([[]])],
  [
    'two messages of the user',
    {
      ...request([]),
      messages: [
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b' },
      ],
    },
  ],
  [
    'calls without tools',
    {
      model: 'm',
      max_tokens: 1,
      messages: request(['Hi', [use('t1')], [result('t1')]]).messages,
    },
  ],
  [
    'a property whose name has a bracket',
    request(['Hi'], {
      tools: [{ name: 'a', input_schema: { type: 'object', properties: { 'filter[id]': {} } } }],
    }),
  ],
  ['a name with a dot', request(['Hi', [{ ...use('t1'), name: 'a.b' }], [result('t1')]])],
  ['an input that is no object', request(['Hi', [{ ...use('t1'), input: [] }], [result('t1')]])],
  [
    'an image in an error',
    request([
      'Hi',
      [use('t1')],
      [
        {
          ...result('t1'),
          is_error: true,
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
          ],
        },
      ],
    ]),
  ],
  [
    'tools of one name',
    request(['Hi'], { tools: [1, 2].map(() => ({ name: 'a', input_schema: { type: 'object' } })) }),
  ],
  [
    'a schema with a choice at its root',
    request(['Hi'], { tools: [{ name: 'a', input_schema: { type: 'object', anyOf: [] } }] }),
  ],
  [
    'five cache breakpoints',
    request([
      [1, 2, 3, 4, 5].map((n) => ({ ...text(String(n)), cache_control: { type: 'ephemeral' } })),
    ]),
  ],
])('refuses %s', (_, body) => {
  expect(() => assertValidConversation(body)).toThrow();
});
