import { describe, expect, it } from 'vitest';
import { SchemaTypes } from '../../src/types/schema-type.ts';
import { settleTypes } from '../../src/types/settle-types.ts';
import { printType } from '../../src/types/type-node.ts';

/** The type of a schema on one line, and the types that it names. */
function typed(schema: unknown, maxSchemas = 1000): { type: string; named: string[] } {
  const types = new SchemaTypes({ maxSchemas });
  const given = types.typeOf(schema, { prefix: 'It', whole: 'ItWhole' });
  const [type = given] = settleTypes([given], types.named);
  const onLine = (text: string): string =>
    text
      .replaceAll(/\/\*\*[^]*?\*\//g, '')
      .replaceAll(/\s+/g, ' ')
      .trim();
  return {
    type: onLine(printType(type, '')),
    named: types.named.map(({ name, body }) => `${name} = ${onLine(printType(body, ''))}`),
  };
}

const a = { type: 'string' };
const b = { type: 'integer' };

describe('the type of a schema', () => {
  it.each([
    [true, 'unknown'],
    [false, 'never'],
    [{}, 'unknown'],
    [{ type: 'string' }, 'string'],
    [{ type: 'integer' }, 'number'],
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ type: 'string', nullable: true }, 'string | null'],
    [{ type: 'file' }, 'unknown'],
    [{ enum: ['a', 1, null, true] }, '"a" | 1 | null | true'],
    [{ type: 'string', enum: ['a', 1] }, '"a"'],
    [{ const: { a: [1, 'x'] } }, '{ a: [1, "x"]; }'],
    [{ enum: ['a'], const: 'b' }, '"a"'],
    [{ anyOf: [a, { type: 'null' }] }, 'string | null'],
    [{ oneOf: [a, b, a] }, 'string | number'],
    [{ anyOf: [a, { const: 'x' }] }, 'string'],
    [{ anyOf: [a, {}] }, 'unknown'],
    [{ anyOf: [a, false] }, 'string'],
    [{ allOf: [a, false] }, 'never'],
    [{ allOf: [a, {}] }, 'string'],
  ])('%j is %s', (schema, type) => {
    expect(typed(schema).type).toBe(type);
  });

  it.each([
    [{ type: 'object' }, '{ [name: string]: unknown }'],
    [{ type: 'object', properties: { a, b }, required: ['a'] }, '{ a: string; b?: number; }'],
    [{ type: 'object', required: ['c'] }, '{ c: unknown; }'],
    [{ properties: { a }, required: ['a', 'c'] }, '{ a: string; c: unknown; }'],
    [{ type: 'object', properties: { a: false } }, '{ a?: never; }'],
    [{ type: 'object', additionalProperties: a }, '{ [name: string]: string }'],
    [{ type: 'object', additionalProperties: false }, '{}'],
    [
      { type: 'object', properties: { b }, additionalProperties: a },
      '{ b?: number; [name: string]: string | number | undefined; }',
    ],
    [
      { type: 'object', properties: { b: { type: 'object' } }, additionalProperties: a },
      '{ b?: { [name: string]: unknown }; [name: string]: unknown; }',
    ],
    [
      { type: 'object', patternProperties: { '^x': a }, additionalProperties: false },
      '{ [name: string]: string; }',
    ],
    [{ type: 'object', patternProperties: { '^x': a } }, '{ [name: string]: unknown; }'],
    [
      { type: 'object', properties: { a }, anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      '{ a?: string; } & ({ a: unknown; } | { b: unknown; })',
    ],
    [{ type: 'object', properties: { 'a-b': a, 1: b } }, '{ "1"?: number; "a-b"?: string; }'],
  ])('%j is %s', (schema, type) => {
    expect(typed(schema).type).toBe(type);
  });

  it.each([
    [{ type: 'array' }, 'unknown[]'],
    [{ type: 'array', items: { type: ['string', 'null'] } }, '(string | null)[]'],
    [{ prefixItems: [a, b], items: false, minItems: 1 }, '[string, number?]'],
    [{ prefixItems: [a, b], minItems: 2 }, '[string, number, ...unknown[]]'],
    [{ prefixItems: [a, b], minItems: 2, maxItems: 2 }, '[string, number]'],
    [{ prefixItems: [a], items: b }, '[string?, ...number[]]'],
    [{ type: 'array', items: [a], additionalItems: false }, '[string?]'],
  ])('%j is %s', (schema, type) => {
    expect(typed(schema).type).toBe(type);
  });

  it('tells no more than the type of very many values', () => {
    const values = Array.from({ length: 501 }, (_, n) => n);
    expect(typed({ enum: values }).type).toBe('unknown');
    expect(typed({ type: 'number', enum: values }).type).toBe('number');
  });

  it('names what a reference leads to', () => {
    const $defs = {
      'a node': { type: 'object', properties: { next: { $ref: '#/$defs/a%20node' } } },
    };
    expect(typed({ $defs, type: 'array', items: { $ref: '#/$defs/a%20node' } })).toEqual({
      type: 'ItANode[]',
      named: ['ItANode = { next?: ItANode; }'],
    });
    const tree = { type: 'object', properties: { below: { type: 'array', items: { $ref: '#' } } } };
    expect(typed(tree)).toEqual({
      type: '{ below?: ItWhole[]; }',
      named: ['ItWhole = { below?: ItWhole[]; }'],
    });
  });

  it.each([
    ['an anchor', { $defs: { x: { $anchor: 'it', type: 'string' } }, $ref: '#it' }],
    ['the id of a definition', { $defs: { x: { $id: 'x.json', type: 'string' } }, $ref: 'x.json' }],
    [
      'its own id',
      { $id: 'http://a/b', $defs: { x: { type: 'string' } }, $ref: 'http://a/b#/$defs/x' },
    ],
    ['an item of a list', { anyOf: [{ type: 'string' }], $ref: '#/anyOf/0' }],
  ])('follows a reference to %s', (_what, schema) => {
    expect(typed(schema).named.map((line) => line.split(' = ')[1])).toEqual(['string']);
  });

  it('takes the document that a definition is for its own references', () => {
    const inner = { $id: 'x.json', $defs: { y: { type: 'string' } }, $ref: '#/$defs/y' };
    const { named } = typed({ $defs: { x: inner, y: { type: 'number' } }, $ref: '#/$defs/x' });
    expect(named).toContain('ItY = string');
  });

  it.each([
    'http://127.0.0.1:1/x.json',
    '/etc/passwd',
    '#/$defs/none',
    '#/constructor',
    '#/__proto__',
    'x',
  ])('does not go to %s', ($ref) => {
    expect(typed({ type: 'object', properties: { a: { $ref } } })).toEqual({
      type: '{ a?: unknown; }',
      named: [],
    });
  });

  it.each([
    ['itself', { A: { $ref: '#/$defs/A' } }, ['ItA = unknown']],
    ['itself or a text', { A: { anyOf: [{ $ref: '#/$defs/A' }, a] } }, ['ItA = unknown']],
    [
      'another, which is it',
      { A: { anyOf: [a, { $ref: '#/$defs/B' }] }, B: { allOf: [{ $ref: '#/$defs/A' }] } },
      ['ItA = unknown', 'ItB = ItA'],
    ],
    [
      'a list of itself',
      { A: { anyOf: [a, { type: 'array', items: { $ref: '#/$defs/A' } }] } },
      ['ItA = string | ItA[]'],
    ],
  ])('does not turn for ever where a definition is %s', (_what, $defs, named) => {
    expect(typed({ $defs, $ref: '#/$defs/A' }).named).toEqual(named);
  });

  it('stays small where a schema is endlessly wide, or deep', () => {
    const properties = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`p${n}`, a]));
    const { type } = typed({ type: 'object', properties });
    expect(type.match(/\?: string/g)).toHaveLength(999);
    expect(type).toMatch(/ \[name: string\]: unknown; \}$/);
    let deep: object = a;
    for (let n = 0; n < 500; n++) deep = { type: 'array', items: deep };
    expect(typed(deep).type).toMatch(/^unknown(?:\[\])+$/);
    const $defs: Record<string, object> = {};
    for (let n = 0; n < 3000; n++) $defs[`D${n}`] = { anyOf: [a, { $ref: `#/$defs/D${n + 1}` }] };
    expect(typed({ $defs, $ref: '#/$defs/D0' }, 5000).named).toHaveLength(500);
  });

  it('leaves out alternatives that the compiler would multiply', () => {
    const either = (n: number): object => ({
      anyOf: [{ required: [`a${n}`] }, { required: [`b${n}`] }],
    });
    const { type } = typed({ allOf: Array.from({ length: 30 }, (_, n) => either(n)) });
    expect(type.split(' & ')).toHaveLength(10);
  });
});
