import type { Random } from '@longwire/testing';
import { pick, seldom, type Mutate, type Table } from './mutation.ts';

const MIB = 2 ** 20;

/** Texts that are no JSON, or odd as JSON, in place of a message or inside of it. */
export const JSON_MUTATIONS: Table<string> = {
  'deep-array': inside((random) => nest('[', ']', pick(random, [100, 1000, 20_000]))),
  'deep-object': inside((random) => nest('{"a":', '}', pick(random, [100, 1000, 20_000]), '1')),
  'deeper-array': seldom(inside(() => nest('[', ']', 500_000))),
  'deep-unclosed': inside(() => '['.repeat(50_000)),
  'many-values': seldom(inside(() => `[${'1,'.repeat(8 * MIB)}1]`)),
  'many-objects': seldom(inside(() => `[${'{},'.repeat(2 * MIB)}1]`)),
  'many-properties': seldom(
    inside(() => `{${Array.from({ length: 200_000 }, (_, n) => `"m${n}":${n}`).join(',')}}`),
  ),
  'long-text': seldom(inside(() => `"${'x'.repeat(32 * MIB)}"`)),
  'long-escapes': seldom(inside(() => `"${'\\u0041'.repeat(2 * MIB)}"`)),
  'long-number': inside(() => '9'.repeat(100_000)),
  'numbers-odd': inside((random) =>
    pick(random, ['1e400', '-0', '1E-400', '12345678901234567890']),
  ),
  'no-numbers': inside((random) => pick(random, ['NaN', 'Infinity', '0x10', '01', '+1', '.5'])),
  'lone-surrogate': inside(() => '"\\ud800\\udfff\\ud83d"'),
  'null-character': inside(() => '"\\u0000"'),
  'raw-control': inside(() => '"\u0001\u001b]0;title\u0007"'),
  'line-separators': inside(() => '"\u2028\u2029\u0085"'),
  proto: inside(() => '{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}}}'),
  'proto-of-message': (text) => text.replace('{', '{"__proto__":{"polluted":true},'),
  'to-json': inside(() => '{"toJSON":1,"then":1,"valueOf":1,"length":-1}'),
  'same-keys': (text) => text.replace('{', '{"id":99,"result":null,'),
  'same-keys-after': (text) => text.replace(/\}$/, ',"id":99,"jsonrpc":"1.0"}'),
  'trailing-comma': (text) => text.replace(/\}$/, ',}'),
  'trailing-text': (text, random) => text + pick(random, ['}', ' null', ' {}', 'x', '\u0000']),
  comments: (text) => `/* comment */ ${text} // comment`,
  'single-quotes': (text) => text.replaceAll('"', "'"),
  whitespace: (text) => `${' \t'.repeat(1000)}${text}${' '.repeat(1000)}`,
  'cut-off': (text, random) => text.slice(0, random.below(text.length)),
  empty: (_, random) => pick(random, ['', ' ', '\t']),
  'no-json': (_, random) =>
    pick(random, [
      'ok',
      'Server running on stdio',
      '<!doctype html><p>502',
      '[DONE]',
      '"',
      '{',
      '\\',
    ]),
  'other-json': (_, random) => pick(random, ['null', 'true', '1', '"text"', '[]', '{}', '[[]]']),
};

/** Puts a property with this value into one of the objects of a message. */
function inside(value: (random: Random) => string): Mutate<string> {
  return (text, random) => {
    const places = placesIn(text);
    if (places.length === 0) return value(random);
    const at = pick(random, places);
    const comma = text[at] === '}' ? '' : ',';
    return `${text.slice(0, at)}"odd":${value(random)}${comma}${text.slice(at)}`;
  };
}

/** Behind the first braces: a text may have millions of them. */
function placesIn(text: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf('{'); at !== -1 && places.length < 8; at = text.indexOf('{', at + 1)) {
    places.push(at + 1);
  }
  return places;
}

function nest(open: string, close: string, depth: number, inner = ''): string {
  return open.repeat(depth) + inner + close.repeat(depth);
}
