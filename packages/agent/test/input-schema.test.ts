import { expect, test } from 'vitest';
import { offerSchema } from '../src/input-schema.ts';
import type { OfferedSchema } from '../src/input-schema.ts';

function offered(schema: unknown): OfferedSchema {
  const offer = offerSchema(schema);
  if ('problem' in offer) throw new Error(offer.problem);
  return offer;
}

test('passes a schema of an object on as the very same object', () => {
  const schema = { type: 'object', properties: { a: { anyOf: [{ type: 'string' }] } }, $defs: {} };
  expect(offerSchema(schema)).toEqual({ schema });
  expect(offered(schema).schema).toBe(schema);
});

test('adds the type where it is missing', () => {
  const properties = { a: {} };
  expect(offerSchema({ properties })).toEqual({ schema: { type: 'object', properties } });
  expect(offerSchema({ type: ['object', 'null'] })).toEqual({ schema: { type: 'object' } });
  expect(offerSchema(undefined)).toEqual({ schema: { type: 'object' } });
});

test('cannot offer what describes no object', () => {
  const problem = 'its input schema does not describe an object';
  expect(offerSchema({ type: 'string' })).toEqual({ problem });
  expect(offerSchema({ type: ['string', 'null'] })).toEqual({ problem });
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

test('follows local references in a combinator at the root', () => {
  const $defs = {
    base: { properties: { id: { type: 'string' } }, allOf: [{ $ref: '#/$defs/deeper' }] },
    deeper: { properties: { depth: { $ref: '#/$defs/leaf' } } },
    'a/b ~': { properties: { odd: { type: 'boolean' } }, $ref: '#/$defs/base' },
    left: { properties: { side: { const: 'left' } } },
    right: { properties: { side: { const: 'right' } }, oneOf: [{ $ref: '#/$defs/leaf' }] },
    leaf: { properties: { leaf: { enum: [1] } } },
  };
  const schema = {
    type: 'object',
    $defs,
    allOf: [{ $ref: '#/$defs/base' }],
    anyOf: [{ $ref: '#/$defs/left' }, { $ref: '#/$defs/right' }],
    oneOf: [{ $ref: '#/$defs/a~1b%20~0' }],
  };
  expect(offered(schema).schema).toEqual({
    type: 'object',
    $defs,
    properties: {
      id: { type: 'string' },
      depth: { $ref: '#/$defs/leaf' },
      side: { anyOf: [{ const: 'left' }, { const: 'right' }] },
      odd: { type: 'boolean' },
      leaf: { enum: [1] },
    },
  });
});

test('accepts broken and circular references', () => {
  const schema = {
    $defs: { loop: { properties: { a: {} }, allOf: [{ $ref: '#/$defs/loop' }, { $ref: '#' }] } },
    anyOf: [
      '#/$defs/loop',
      '#',
      '#/$defs/none',
      '#/$defs/%',
      '#anchor',
      'other.json#/x',
      '#/constructor/prototype',
      7,
    ].map(($ref) => ({ $ref })),
  };
  expect(offered(schema).schema).toMatchObject({ properties: { a: {} } });
});

test('is done soon with references that multiply', () => {
  const $defs = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => {
      const next = { $ref: `#/$defs/d${n + 1}` };
      return [`d${n}`, { properties: { [`p${n}`]: {} }, anyOf: [next, next], oneOf: [next, next] }];
    }),
  );
  const { schema } = offered({ $defs, anyOf: [{ $ref: '#/$defs/d0' }] });
  expect(Object.keys(schema.properties ?? {})).toHaveLength(60);
});

test('leaves what the root itself says byte for byte, also where a combinator is removed', () => {
  const kept = {
    properties: {
      id: { default: 'x', enum: ['y', 'x'], anyOf: [{ type: 'string' }, { allOf: [{}] }] },
      other: { $ref: '#/$defs/other' },
    },
    type: 'object',
    $defs: { other: { oneOf: [{ const: 1 }, { const: 2 }] } },
    required: ['id'],
  };
  const anyOf = [{ properties: { id: { minLength: 1 } } }, { required: ['other'] }];
  expect(JSON.stringify(offered({ ...kept, anyOf }).schema)).toBe(JSON.stringify(kept));
});

test('says that all hold of what always holds, rather than one of what may', () => {
  const allOf = [
    { properties: { a: { type: 'string' } } },
    { properties: { a: { minLength: 1 } } },
  ];
  const anyOf = [{ properties: { a: { const: 'x' }, b: {} } }];
  expect(offered({ allOf, anyOf }).schema.properties).toEqual({
    a: { allOf: [{ type: 'string' }, { minLength: 1 }] },
    b: {},
  });
});
