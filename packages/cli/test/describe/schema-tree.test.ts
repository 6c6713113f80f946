import { describe, expect, it } from 'vitest';
import { schemaTree } from '../../src/describe/schema-tree.ts';

/** The tree as lines. */
const lines = (schema: Record<string, unknown>): string[] =>
  schemaTree(schema).map(
    ({ depth, name, type, description }) =>
      `${'  '.repeat(depth)}${name === '' ? '' : `${name}: `}${type}${description && ` — ${description}`}`,
  );

const withProperty = (property: unknown): Record<string, unknown> => ({
  type: 'object',
  properties: { a: property },
});

describe('a value is told with its limits', () => {
  it.each([
    [{ type: 'string', minLength: 1, maxLength: 20 }, 'string, 1 to 20 characters'],
    [{ type: 'string', minLength: 1 }, 'string, at least 1 character'],
    [{ type: 'string', maxLength: 1 }, 'string, at most 1 character'],
    [{ type: 'string', minLength: 2, maxLength: 2 }, 'string, exactly 2 characters'],
    [{ type: 'string', format: 'date-time' }, 'string (date-time)'],
    [{ type: 'string', contentEncoding: 'base64' }, 'string (base64)'],
    [{ type: 'string', pattern: '^a+$' }, 'string, matches ^a+$'],
    [{ type: 'integer', minimum: 1, maximum: 14, default: 3 }, 'integer, 1 to 14, default 3'],
    [{ type: 'number', exclusiveMinimum: 0, maximum: 9 }, 'number, more than 0 and at most 9'],
    [
      { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
      'integer',
    ],
    [{ type: 'number', multipleOf: 0.5 }, 'number, a multiple of 0.5'],
    [{ enum: ['a', 'b'] }, '"a" | "b"'],
    [{ const: 1 }, '1'],
    [{ type: 'string', examples: ['AAPL'] }, 'string, such as "AAPL"'],
    [{ type: 'string', deprecated: true }, 'string, deprecated'],
    [{ type: ['string', 'null'], default: null }, 'string or null, default null'],
    [{ anyOf: [{ type: 'string' }, { type: 'integer' }] }, 'string or integer'],
    [{ type: 'array', items: { type: 'string' }, minItems: 1 }, 'string[], at least 1 item'],
    [{ type: 'string', not: { const: 'x' } }, 'string, with not (--json shows it)'],
    [true, 'any'],
    ['nonsense', 'any'],
  ])('%j', (schema, told) => {
    expect(lines(withProperty(schema))).toEqual([`a: ${told}`]);
  });
});

describe('what lies within', () => {
  it('is the members of an object, those required marked', () => {
    const schema = {
      type: 'object',
      properties: {
        filter: {
          type: 'object',
          description: 'Which ones',
          properties: { since: { type: 'string', description: 'Only later\nones' } },
          required: ['since', 'unlisted'],
          additionalProperties: { type: 'integer' },
          patternProperties: { '^x-': { type: 'boolean' } },
        },
      },
    };
    expect(lines(schema)).toEqual([
      'filter: object — Which ones',
      '  since*: string — Only later\nones',
      '  unlisted*: any',
      '  (names like ^x-): boolean',
      '  (any other name): integer',
    ]);
  });

  it('is what each item of a list is, where that says more than its type', () => {
    const item = { type: 'object', properties: { id: { type: 'integer' } } };
    expect(lines(withProperty({ type: 'array', items: item }))).toEqual([
      'a: object[]',
      '  each: object',
      '    id: integer',
    ]);
    expect(lines(withProperty({ type: 'array', items: { type: 'string', maxLength: 5 } }))).toEqual(
      ['a: string[]', '  each: string, at most 5 characters'],
    );
    expect(lines(withProperty({ prefixItems: [{ type: 'number' }, { type: 'string' }] }))).toEqual([
      'a: any[]',
      '  item 1: number',
      '  item 2: string',
    ]);
  });

  it('is the alternatives, where they are more than names of types', () => {
    const named = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
    const choice = { oneOf: [named, { type: 'string', minLength: 3 }, { type: 'null' }] };
    expect(lines(withProperty(choice))).toEqual([
      'a: object or string or null',
      '  or: object',
      '    name*: string',
      '  or: string, at least 3 characters',
    ]);
  });
});

describe('a schema that holds itself', () => {
  const node = {
    type: 'object',
    properties: { name: { type: 'string' }, next: { $ref: '#/$defs/node' } },
  };

  it.each([
    ['by a definition', { ...withProperty({ $ref: '#/$defs/node' }), $defs: { node } }],
    ['through allOf', { ...withProperty({ allOf: [{ $ref: '#/$defs/node' }] }), $defs: { node } }],
  ])('%s is told once', (_, schema) => {
    expect(lines(schema)).toEqual(['a: object', '  name: string', '  next: object, as above']);
  });

  it('as a whole, and through alternatives and lists', () => {
    const list = { type: 'array', items: { anyOf: [{ $ref: '#' }, { type: 'null' }] } };
    expect(lines({ type: 'object', properties: { list } }).length).toBeLessThan(20);
    expect(lines({ $ref: '#' }).length).toBeLessThan(20);
  });
});

describe('a schema of any size', () => {
  it('is cut, and says how much there is', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [`field_${index}`, { type: 'string' }]),
    );
    const shown = lines({ type: 'object', properties });
    expect(shown.length).toBeLessThan(400);
    expect(shown.at(-1)).toBe('… and 9700 more (--json shows them)');
  });

  it('is cut where it is deep', () => {
    let schema: object = { type: 'string' };
    for (let depth = 0; depth < 500; depth++) schema = withProperty(schema);
    const shown = lines(schema as Record<string, unknown>);
    expect(shown.at(-1)).toContain('… (--json shows the rest)');
    expect(shown.length).toBeLessThan(20);
  });

  it('is shown without control sequences', () => {
    const evil = { type: 'string', description: 'a\u001b]0;title\u0007b', default: '\u001b[2J' };
    expect(lines({ type: 'object', properties: { ['n\u001b[31m']: evil } }).join('\n')).toBe(
      'n: string, default "\\u001b[2J" — ab',
    );
  });
});
