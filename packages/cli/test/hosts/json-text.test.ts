import fc from 'fast-check';
import { findNodeAtLocation, parse, parseTree, type Node, type ParseError } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { insertProperty, removeProperty } from '../../src/hosts/json-text.ts';

const added = ['new', { url: 'http://h', headers: { a: 'b' } }] as const;

describe('a property', () => {
  it.each<[string, string]>([
    ['{ "s": {} }', '{ "s": {\n  "new": {} \n} }'],
    ['{\n  "s": {}\n}\n', '{\n  "s": {\n    "new": {}\n  }\n}\n'],
    ['{\n\t"s": { // why\n\t}\n}', '{\n\t"s": { // why\n\t\t"new": {}\n\t}\n}'],
    ['{ "s": { "a": 1 } }', '{ "s": { "a": 1, "new": {} } }'],
    ['{ "s": { "a": 1, } }', '{ "s": { "a": 1, "new": {}, } }'],
    [
      '{\n  "s": {\n    "a": 1 // a\n  }\n}',
      '{\n  "s": {\n    "a": 1, // a\n    "new": {}\n  }\n}',
    ],
    [
      '{\r\n  "s": {\r\n    "a": 1, // a\r\n    // end\r\n  }\r\n}',
      '{\r\n  "s": {\r\n    "a": 1, // a\r\n    "new": {},\r\n    // end\r\n  }\r\n}',
    ],
    ['{ "s": [] }', '{ "s": [] }'],
  ])('is put behind the others: %j', (text, expected) => {
    expect(insertProperty(text, ['s'], ['new', {}])).toBe(expected.replace('{} \n', '{}\n'));
  });

  it.each<[string, string]>([
    ['{ "s": { "a": 1 } }', '{ "s": { } }'],
    ['{ "s": { "a": 1, "b": 2 } }', '{ "s": { "b": 2 } }'],
    ['{ "s": { "b": 2, "a": 1 } }', '{ "s": { "b": 2 } }'],
    [
      '{\n  "s": {\n    "a": 1, // a\n    "b": 2\n  }\n}',
      '{\n  "s": {\n    // a\n    "b": 2\n  }\n}',
    ],
    [
      '{\n  "s": {\n    "b": 2, // b\n    "a": {\n    }\n  }\n}',
      '{\n  "s": {\n    "b": 2 // b\n  }\n}',
    ],
    ['{\n  "s": {\n    "a": 1,\n  }\n}', '{\n  "s": {\n  }\n}'],
  ])('is taken out: %j', (text, expected) => {
    expect(removeProperty(text, ['s'], 'a')).toBe(expected);
  });
});

const trivia = fc.constantFrom(
  '',
  ' ',
  '\n',
  '\n\t',
  '/* , "} */',
  '// { "\n',
  '\n  // ünï 🎉\n  ',
  '\r\n',
);
const value = fc.constantFrom('1', '{}', '{ "x": [1, /* in */ 2], }', '"a, } // b"');
const names = fc.uniqueArray(fc.stringMatching(/^[a-z"\\\u00e9]{1,4}$/), { maxLength: 4 });

/** An object in JSON, with blanks and comments between all of its parts. */
const text = names.chain((all) =>
  fc
    .tuple(
      fc.array(trivia, { minLength: 40, maxLength: 40 }),
      fc.array(value, { minLength: all.length, maxLength: all.length }),
      fc.boolean(),
    )
    .map(([gaps, values, comma]) => {
      let gap = 0;
      const next = (): string => gaps[gap++] ?? '';
      const properties = all.map(
        (name, index) =>
          `${next()}${JSON.stringify(name)}${next()}:${next()}${values[index] ?? ''}${next()}`,
      );
      const end = comma && all.length > 0 ? `,${next()}` : '';
      return `{${next()}"s"${next()}:${next()}{${properties.join(',')}${next()}${end}}${next()}}${next()}`;
    }),
);

function read(json: string): Record<string, unknown> {
  const errors: ParseError[] = [];
  const { s } = parse(json, errors, { allowTrailingComma: true }) as { s: Record<string, unknown> };
  expect(errors).toEqual([]);
  return s;
}

/** The comments outside of strings. */
function commentsIn(json: string): string[] {
  const parts = json.match(/"(?:[^"\\]|\\.)*"|\/\*[^]*?\*\/|\/\/[^\r\n]*/g) ?? [];
  return parts.filter((part) => part.startsWith('/'));
}

const without = (record: Record<string, unknown>, name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));

describe('of any text', () => {
  it('all stays, in its order, where something is put in', () => {
    fc.assert(
      fc.property(text, (before) => {
        fc.pre(!Object.hasOwn(read(before), 'new'));
        const after = insertProperty(before, ['s'], added);
        expect(Object.entries(read(after))).toEqual([...Object.entries(read(before)), added]);
        expect(commentsIn(after)).toEqual(commentsIn(before));
        let at = 0;
        for (const character of before) at = after.indexOf(character, at) + 1 || Infinity;
        expect(at).toBeLessThanOrEqual(after.length);
        const again = removeProperty(after, ['s'], 'new');
        expect(read(again)).toEqual(read(before));
        expect(commentsIn(again)).toEqual(commentsIn(before));
      }),
      { numRuns: 2000 },
    );
  });

  it('all but one stays, where that is taken out', () => {
    fc.assert(
      fc.property(text, fc.nat(), (before, index) => {
        const all = read(before);
        const name = Object.keys(all).at(index % 4);
        fc.pre(name !== undefined);
        const after = removeProperty(before, ['s'], name ?? '');
        expect(Object.entries(read(after))).toEqual(Object.entries(without(all, name ?? '')));
        const object = findNodeAtLocation(parseTree(before) as Node, ['s']);
        const taken = object?.children?.find(({ children }) => children?.[0]?.value === name);
        const { offset = 0, length = 0 } = taken ?? {};
        const around = `${before.slice(0, offset)} ${before.slice(offset + length)}`;
        expect(commentsIn(after)).toEqual(commentsIn(around));
        const again = read(insertProperty(after, ['s'], added));
        expect(again['new']).toEqual(added[1]);
      }),
      { numRuns: 2000 },
    );
  });
});
