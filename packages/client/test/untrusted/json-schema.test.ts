import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonSchema, type SchemaCheck } from '../../src/untrusted/json-schema.js';
import { plainSchema } from '../../src/untrusted/plain-schema.js';

const check = async (schema: unknown, value: unknown): Promise<SchemaCheck> =>
  new JsonSchema(schema).check(value);
const kindOf = async (schema: unknown, value: unknown): Promise<string> =>
  (await check(schema, value)).kind;

const ofStrings = { type: 'object', additionalProperties: { type: 'string' } };

function nested(depth: number, innermost: unknown): unknown {
  let schema = innermost;
  for (let i = 0; i < depth; i++) schema = { properties: { a: schema } };
  return schema;
}

/** Definitions of which each asks twice for the next. */
function doubling(count: number): [name: string, schema: unknown][] {
  const twice = (next: number): unknown[] => [1, 2].map(() => ({ $ref: `#/$defs/d${next}` }));
  const all = Array.from({ length: count }, (_, i): [string, unknown] => [
    `d${i}`,
    { allOf: twice(i + 1) },
  ]);
  return [...all, [`d${count}`, { type: 'object' }]];
}

describe('a schema of a server', () => {
  it.each([
    ['what is no list of types', { type: ['null', 'string'] }, null, 1],
    ['members', { properties: { a: { type: 'number' } }, required: ['a'] }, { a: 1 }, {}],
    ['no further members', { properties: { a: {} }, additionalProperties: false }, {}, { b: 1 }],
    ['names that every object has', { required: ['toString'] }, { toString: 1 }, {}],
    ['such names', { properties: { constructor: { type: 'string' } } }, {}, { constructor: 1 }],
    ['alternatives', { anyOf: [{ type: 'string' }, { type: 'null' }] }, null, 1],
    ['what is not', { not: { const: { a: 1 } } }, { a: 2 }, { a: 1 }],
    ['a part by its name', { $ref: '#/$defs/a', $defs: { a: { enum: [1] } } }, 1, 2],
    ['nothing', false, undefined, 1],
  ])('is checked in place: %s', (_what, schema, good, bad) => {
    expect(plainSchema(schema)).toBeDefined();
    const own = new JsonSchema(schema);
    if (good !== undefined) expect(own.check(good)).toEqual({ kind: 'valid' });
    expect(own.check(bad)).toMatchObject({ kind: 'invalid' });
  });

  it.each([
    ['a pattern', { pattern: '^a' }, 'ab', 'b'],
    ['patterns of names', { patternProperties: { '^n': { type: 'number' } } }, { n: 1 }, { n: '' }],
    ['no item twice', { uniqueItems: true }, [1, 2], [1, 1]],
    [
      'a list in a list',
      { properties: { next: { $ref: '#' } }, additionalProperties: false },
      { next: { next: {} } },
      { next: { nxt: {} } },
    ],
    ['2020-12', { prefixItems: [{ type: 'string' }] }, ['a'], [1]],
    [
      '2019-09',
      { $schema: 'https://json-schema.org/draft/2019-09/schema', items: [{ type: 'string' }] },
      ['a'],
      [1],
    ],
    [
      'draft-07',
      { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] },
      ['a'],
      [1],
    ],
    [
      'draft-04',
      { $schema: 'http://json-schema.org/draft-04/schema#', minimum: 1, exclusiveMinimum: true },
      2,
      1,
    ],
  ])('is checked in the thread: %s', async (_what, schema, good, bad) => {
    expect(plainSchema(schema)).toBeUndefined();
    expect(await kindOf(schema, good)).toBe('valid');
    expect(await check(schema, bad)).toMatchObject({ kind: 'invalid' });
  });

  it('says where a value does not fit', async () => {
    const schema = { properties: { list: { items: { type: 'string' } } } };
    const misfit = { kind: 'invalid', path: 'list/1', message: 'must be string' };
    expect(await check(schema, { list: ['a', 1] })).toEqual(misfit);
    expect(await check({ ...schema, pattern: 'a' }, { list: ['a', 1] })).toEqual(misfit);
  });

  it('shares its $id with none', async () => {
    for (const more of [{}, { pattern: '^[a-z]*$' }]) {
      const text = { $id: 'https://example.com/result', type: 'string', ...more };
      expect(await kindOf(text, 'a')).toBe('valid');
      expect(await kindOf({ ...text, type: 'number' }, 1)).toBe('valid');
      expect(await kindOf({ $ref: 'https://example.com/result' }, 1)).toBe('unchecked');
    }
  });

  it.each([
    ['a pattern that goes back and forth', { pattern: '^(a+)+$' }, `${'a'.repeat(40)}!`],
    [
      'such a pattern of names',
      { patternProperties: { '^(a+)+$': {} } },
      { [`${'a'.repeat(40)}!`]: 1 },
    ],
    [
      'references that double',
      {
        $defs: Object.fromEntries(doubling(40)),
        $ref: '#/$defs/d0',
      },
      {},
    ],
  ])('that takes too long is not checked: %s', async (_what, schema, value) => {
    const own = new JsonSchema(schema);
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 10);
    const outcome = await own.check(value);
    clearInterval(turning);
    expect(outcome).toEqual({ kind: 'unchecked', reason: 'it took longer than 1000 ms' });
    // The process did other things meanwhile.
    expect(turns).toBeGreaterThan(10);
    // It is not tried again.
    expect(own.checkInPlace('')).toEqual(outcome);
  });

  it.each([
    [
      'references to each other',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      1,
      /call stack|took longer/,
    ],
    ['a reference to nowhere', { $ref: 'https://example.com/nowhere' }, 1, /resolve reference/],
    ['a pattern that is none', { pattern: '(' }, '', /regular expression/i],
    ['a keyword of the wrong kind', { maximum: 'a lot' }, 1, /number/],
    ['a type that there is not', { type: 'thing' }, 1, /type/],
    ['no schema', 'string', 1, /schema/],
    ['nothing at all', undefined, 1, /schema/],
    ['another language', { $schema: 'https://example.com/mine' }, 1, /\$schema is unknown/],
    ['deep', nested(5000, false), 1, /too large/],
    ['large', { enum: Array.from({ length: 50_000 }, (_, i) => i) }, 1, /too large/],
  ])('that cannot be used is not checked: %s', async (_what, schema, value, reason) => {
    const outcome = await check(schema, value);
    expect(outcome).toEqual({ kind: 'unchecked', reason: expect.stringMatching(reason) });
  });

  it('of thousands of alternatives, or deep ones, ends', async () => {
    const anyOf = Array.from({ length: 5000 }, (_, i) => ({ properties: { a: { const: i } } }));
    expect(await kindOf({ anyOf }, { a: -1 })).toMatch(/invalid|unchecked/);
    expect(await kindOf(nested(90, false), { a: 1 })).toBe('valid');
    expect(await kindOf({ enum: Array.from({ length: 9000 }, (_, i) => i) }, 8999)).toBe('valid');
  });

  it('is not asked about a value that is too large to be handed over', async () => {
    const value = Array.from({ length: 200_000 }, () => 1);
    const own = new JsonSchema({ items: { pattern: 'a' } });
    expect(await own.check(value)).toEqual({
      kind: 'unchecked',
      reason: 'the value is too large for it',
    });
    expect(await own.check(['b'])).toMatchObject({ kind: 'invalid' });
    expect(await kindOf({ type: 'array', items: { type: 'number' } }, value)).toBe('valid');
  });

  it('is not blamed for another one that takes too long', async () => {
    const hostile = { pattern: '^(a+)+$' };
    const friendly = new JsonSchema({ pattern: '^a' });
    expect(await friendly.check('a')).toEqual({ kind: 'valid' });
    const outcomes = await Promise.all([
      kindOf(hostile, `${'a'.repeat(40)}!`),
      kindOf({ pattern: '^b' }, 'a'),
      friendly.check('a'),
      friendly.check('b'),
    ]);
    expect(outcomes).toMatchObject([
      'unchecked',
      'invalid',
      { kind: 'valid' },
      { kind: 'invalid' },
    ]);
  });

  it('is compiled again when many others came between', async () => {
    const own = new JsonSchema({ pattern: '^a' });
    expect(await own.check('a')).toEqual({ kind: 'valid' });
    for (let i = 0; i < 30; i++) expect(await kindOf({ pattern: `^${i}` }, '')).toBe('invalid');
    expect(await own.check('a')).toEqual({ kind: 'valid' });
  });

  it('says the same in place and in the thread', async () => {
    const leaf = fc.constantFrom<unknown>(
      { type: 'string' },
      { type: ['integer', 'null'] },
      { const: 1 },
      { enum: ['a', null] },
      { minimum: 1 },
      { maxLength: 1 },
      true,
      false,
    );
    const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.record({ items: tie('schema') }),
        fc.record({ properties: fc.record({ a: tie('schema') }), required: fc.constant(['a']) }),
        fc.record({ additionalProperties: tie('schema') }),
        fc.record({ not: tie('schema') }),
        fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
        fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
      ),
    }));
    const value = fc.oneof(
      fc.constantFrom<unknown>(1, 'a', 'ab', null, [], {}),
      fc.record({ a: fc.constantFrom<unknown>(1, 'a', null, { a: 1 }) }),
      fc.array(fc.constantFrom<unknown>(1, 'a', null, { a: 1 }), { maxLength: 2 }),
    );
    await fc.assert(
      fc.asyncProperty(schema, value, async (part, own) => {
        const inPlace = new JsonSchema({ allOf: [part] }).checkInPlace(own);
        expect(inPlace).toBeDefined();
        // A pattern of names that there are not: nothing more is asked for.
        const inThread = await kindOf({ allOf: [part], patternProperties: { zzz: false } }, own);
        expect(inThread).toBe(inPlace?.kind);
      }),
      { numRuns: 200 },
    );
  });

  it('does not keep a process from ending', async () => {
    const index = new URL('../../dist/internal.js', import.meta.url);
    const program = `
      const { JsonSchema } = await import(${JSON.stringify(index.href)});
      const outcome = await new JsonSchema({ pattern: '^a' }).check('b');
      process.stdout.write(JSON.stringify(outcome.kind));
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, said]).toEqual([0, '"invalid"']);
  });

  it.each(['a string', { ...ofStrings }])('is not changed by being checked', async (value) => {
    const schema = { ...ofStrings, patternProperties: { '^b': {} } };
    const before = JSON.stringify([schema, value]);
    await check(schema, value);
    expect(JSON.stringify([schema, value])).toBe(before);
  });
});
