import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseExactJson,
  toJson,
  withDigits,
  withIntegers,
  withMarks,
  withNumbers,
} from '../../src/untrusted/exact-json.ts';
import { DEFAULT_JSON_BOUNDS } from '../../src/untrusted/json.ts';

const parse = (text: string): unknown => parseExactJson(text, DEFAULT_JSON_BOUNDS);

describe('an integer', () => {
  it.each<[string, unknown]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['18446744073709551615', 18446744073709551615n],
    // A number gives these digits back.
    ['1152921504606847000', 1152921504606847000],
    ['1152921504606846976', 1152921504606846976n],
    ['1e21', 1e21],
    ['0.1234567890123456789', 0.12345678901234568],
    ['"9007199254740993"', '9007199254740993'],
    ['"\\"9007199254740993"', '"9007199254740993'],
    ['{"9007199254740993":[9007199254740993,-1]}', { '9007199254740993': [9007199254740993n, -1] }],
    [' [ 9007199254740993 , 1 ] ', [9007199254740993n, 1]],
    ['{"__proto__":9007199254740993}', JSON.parse('{"__proto__":1}')],
  ])('%s is read as it is written', (text, value) => {
    const read = parse(text);
    if (!text.includes('__proto__')) expect(read).toEqual(value);
    expect(JSON.parse(toJson(read))).toEqual(JSON.parse(text));
    if (!/[ .e]/.test(text)) expect(toJson(read)).toBe(text);
  });

  it.each([
    '09007199254740993',
    '9007199254740993x',
    '[9007199254740993',
    '-',
    '--9007199254740993',
  ])('%s is no JSON', (text) => expect(() => parse(text)).toThrow(SyntaxError));

  it('of any size, anywhere, comes back', () => {
    const leaf = fc.oneof(fc.bigInt(), fc.integer(), fc.string(), fc.boolean());
    fc.assert(
      fc.property(fc.object({ values: [leaf], maxDepth: 3 }), (value) => {
        const text = toJson(value);
        expect(toJson(parse(text))).toBe(text);
        expect(toJson(withIntegers(withMarks(value)))).toBe(text);
      }),
    );
  });
});

describe('a value with integers that are no numbers', () => {
  const value = { id: 9007199254740993n, list: [1, 'a', [2n ** 64n]], nan: NaN };

  it('is made one of numbers, of digits, or handed through as text', () => {
    expect(withNumbers(value)).toEqual({
      id: 9007199254740992,
      list: [1, 'a', [2 ** 64]],
      nan: NaN,
    });
    expect(withDigits(value)).toMatchObject({ id: '9007199254740993' });
    const marked = withMarks(value);
    expect(typeof marked.id).toBe('string');
    expect(withIntegers(`id ${String(marked.id)}!`)).toBe('id 9007199254740993!');
  });

  it('without any is the same', () => {
    const plain = { a: [1, { b: 'x' }], c: null };
    for (const map of [withNumbers, withDigits, withMarks, withIntegers])
      expect(map(plain)).toBe(plain);
  });
});

describe('writing', () => {
  it('is that of JSON.stringify', () => {
    const date = new Date(0);
    expect(toJson({ date, a: undefined, f: () => 1 })).toBe(JSON.stringify({ date }));
    expect(toJson({ a: 1n }, 2)).toBe('{\n  "a": 1\n}');
    const cycle: Record<string, unknown> = { a: 1n };
    cycle['self'] = cycle;
    expect(() => toJson(cycle)).toThrow(TypeError);
  });
});
