import { expect, test } from 'vitest';
import { offerSchema } from '../src/input-schema.ts';

test('passes a schema of an object on as the very same object', () => {
  const schema = { type: 'object', properties: { a: { anyOf: [{ type: 'string' }] } }, $defs: {} };
  expect(offerSchema(schema)).toEqual({ schema });
  expect(offerSchema(schema)?.schema).toBe(schema);
});

test('adds the type where it is missing', () => {
  const properties = { a: {} };
  expect(offerSchema({ properties })).toEqual({ schema: { type: 'object', properties } });
  expect(offerSchema({ type: ['object', 'null'] })).toEqual({ schema: { type: 'object' } });
  expect(offerSchema(undefined)).toEqual({ schema: { type: 'object' } });
});

test('cannot offer what describes no object', () => {
  expect(offerSchema({ type: 'string' })).toBeUndefined();
  expect(offerSchema({ type: ['string', 'null'] })).toBeUndefined();
});

test('turns a choice at the root into words, and keeps the properties known', () => {
  const oneOf = [
    { properties: { kind: { const: 'file' }, path: { type: 'string' } }, required: ['path'] },
    { properties: { kind: { const: 'url' }, path: { type: 'string' } } },
    true,
  ];
  const allOf = [{ required: ['kind'] }];
  expect(
    offerSchema({ type: 'object', required: ['kind'], oneOf, allOf, $defs: { x: {} } }),
  ).toEqual({
    schema: {
      type: 'object',
      required: ['kind'],
      $defs: { x: {} },
      properties: {
        kind: { anyOf: [{ const: 'file' }, { const: 'url' }] },
        path: { type: 'string' },
      },
    },
    constraint: `The arguments must also match this JSON Schema: ${JSON.stringify({ oneOf, allOf })}`,
  });
});
