import { expect, it } from 'vitest';
import type { Ended } from '@longwire/recording';
import { expectationWords } from '../../src/checks/check-list.ts';
import { choicesFor } from '../../src/checks/expectation-choices.ts';

const content = [{ type: 'text', text: 'It is 21 °C.' }];

/** Each choice as it is made where nothing else is filled in. */
function made(ended: Ended): object {
  return Object.fromEntries(
    choicesFor(ended).map(({ label, filled = '', make }) => [label, make(filled)]),
  );
}

it('offers what fits the answer, filled in with it', () => {
  expect(made({ outcome: 'result', result: { content } })).toEqual({
    'It is no error': {},
    'Its text has this in it': { contains: 'It is 21 °C.' },
  });
  const structuredContent = { degrees: 21 };
  expect(made({ outcome: 'result', result: { content, structuredContent } })).toEqual({
    'It is no error': {},
    'Its text has this in it': { contains: '' },
    'It has these members': { has: structuredContent },
    'It is exactly this': { equals: structuredContent },
  });
  const json = [{ type: 'text', text: '{"degrees":21}' }];
  expect(made({ outcome: 'result', result: { content: json } })).toMatchObject({
    'It has these members': { has: structuredContent },
  });
  expect(made({ outcome: 'tool-error', result: { content, isError: true } })).toEqual({
    'It is an error': { error: true },
    'It is an error with this text': { error: true, contains: '' },
    'It is no error': {},
  });
});

it('takes no JSON that is none', () => {
  const ended: Ended = { outcome: 'result', result: { content, structuredContent: 1 } };
  expect(() => choicesFor(ended).at(-1)?.make('{')).toThrow(SyntaxError);
});

it('says what is expected in words', () => {
  expect(expectationWords({})).toBe('is no error');
  expect(expectationWords({ error: true, contains: 'no' })).toBe('is an error, contains "no"');
  expect(expectationWords({ equals: null })).toBe('is null');
  expect(expectationWords({ has: { a: 1 } })).toBe('has {"a":1}');
});
