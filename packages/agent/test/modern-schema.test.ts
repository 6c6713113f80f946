import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { modernSchema } from '../src/modern-schema.ts';

const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });

test.each<[string, unknown, unknown]>([
  ['PHP: no properties', { type: 'object', properties: [] }, { type: 'object', properties: {} }],
  [
    'PHP: empty objects at any depth',
    {
      $defs: [],
      properties: { a: [], b: { items: [], properties: [] } },
      additionalProperties: [],
    },
    { $defs: {}, properties: { a: {}, b: { properties: {} } }, additionalProperties: {} },
  ],
  [
    'what is not set is null',
    {
      type: 'object',
      properties: { a: { enum: null, default: null, items: null } },
      required: null,
    },
    { type: 'object', properties: { a: { default: null } } },
  ],
  ['no properties as null', { properties: null }, {}],
  [
    'draft-07: a list of items',
    { items: [{ type: 'string' }, {}], additionalItems: false },
    { prefixItems: [{ type: 'string' }, {}], items: false },
  ],
  [
    'draft-04: exclusive bounds',
    { minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
    { exclusiveMinimum: 1, maximum: 9 },
  ],
  [
    'draft-03: required, any',
    { properties: { a: { required: true, type: 'any' } } },
    { properties: { a: {} } },
  ],
  [
    'what is there twice',
    { required: ['a', 'a'], type: ['null', 'null'] },
    { required: ['a'], type: ['null'] },
  ],
  ['empty choices', { anyOf: [], oneOf: [], allOf: [] }, {}],
])('%s', (_, schema, modern) => {
  const given = structuredClone(schema);
  const result = modernSchema(schema).schema;
  expect(result).toEqual(modern);
  expect(ajv.validateSchema(result as object)).toBe(true);
  expect(schema).toEqual(given);
});

test('takes away what means nothing, and says so', () => {
  const schema = {
    type: 'object',
    properties: {
      a: { type: 'int', minLength: -1, pattern: 7, multipleOf: 0 },
      b: { enum: 'x', uniqueItems: 'yes', items: 'string' },
      c: 'a string',
      d: { anyOf: {}, properties: ['a'], required: 'a', maximum: '9' },
    },
  };
  const { schema: modern, removed } = modernSchema(schema);
  expect(modern).toEqual({ type: 'object', properties: { a: {}, b: {}, c: {}, d: {} } });
  expect(ajv.validateSchema(modern as object)).toBe(true);
  expect(removed).toContain('/properties/a/type: "int"');
  expect(removed).toHaveLength(11);
});

test('leaves as it is what is right, also where a name is that of a keyword', () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: ['object', 'null'],
    properties: {
      type: { const: null },
      items: { type: 'array', items: true, prefixItems: [{}], default: [] },
      required: { enum: [null, [], {}], examples: [[]] },
      __proto__x: { not: {}, if: {}, else: true, 'x-php': [] },
    },
    required: ['type', 'items'],
    dependentRequired: { a: ['b'] },
    patternProperties: { '^x': {} },
    additionalProperties: false,
    minProperties: 1,
  };
  expect(modernSchema(schema)).toEqual({ schema, removed: [] });
  expect(modernSchema(schema).schema).toBe(schema);
});
