import { describe, expect, it } from 'vitest';
import { formOf } from '../../src/tools/form-model.ts';
import { initialValue, problemsOf, variantOf, withMember } from '../../src/tools/form-values.ts';

const schema = {
  type: 'object',
  required: ['query', 'range', 'tags'],
  properties: {
    query: { type: 'string', minLength: 2 },
    range: { $ref: '#/$defs/range' },
    tags: { type: 'array', items: { type: 'string' }, minItems: 1 },
    sort: { enum: ['newest', 'oldest'], default: 'newest' },
    colour: {
      oneOf: [
        { const: 1, title: 'red' },
        { const: 2, title: 'blue' },
      ],
    },
    fill: { anyOf: [{ type: 'number' }, { type: 'null' }] },
    size: { type: ['string', 'integer'] },
    anything: {},
  },
  $defs: {
    range: {
      allOf: [
        { properties: { from: { type: 'integer', minimum: 0 } }, required: ['from'] },
        { properties: { to: { type: 'integer' } } },
      ],
      type: 'object',
    },
  },
};

describe('the form of a schema', () => {
  const form = formOf(schema);
  const fieldOf = (name: string) => {
    if (form.kind !== 'object') throw new Error('no object');
    return form.properties.find((property) => property.name === name)?.field;
  };

  it('has a field of the right kind for each property', () => {
    if (form.kind !== 'object') throw new Error('no object');
    expect(form.properties.map(({ name, field }) => [name, field.kind])).toEqual([
      ['query', 'text'],
      ['range', 'object'],
      ['tags', 'list'],
      ['sort', 'choice'],
      ['colour', 'choice'],
      ['fill', 'variants'],
      ['size', 'variants'],
      ['anything', 'json'],
    ]);
    expect(fieldOf('colour')).toMatchObject({
      choices: [
        { value: 1, label: 'red' },
        { value: 2, label: 'blue' },
      ],
    });
    expect(fieldOf('range')).toMatchObject({
      properties: [
        { name: 'to', isRequired: false },
        { name: 'from', isRequired: true },
      ],
    });
  });

  it('begins with defaults and with what is needed, and leaves out the rest', () => {
    expect(initialValue(form, true)).toEqual({ range: {}, tags: [undefined], sort: 'newest' });
  });

  it('says what is wrong, and where', () => {
    const value = { query: 'a', range: { from: -1.5 }, tags: [], sort: 'none', fill: 'x' };
    expect(problemsOf(form, value).map(({ path, message }) => [path.join('/'), message])).toEqual([
      ['query', 'has at least 2 characters'],
      ['range/from', 'is to be a whole number'],
      ['range/from', 'is at least 0'],
      ['tags', 'has at least 1 items'],
      ['sort', 'is to be one of the choices'],
      ['fill', 'is to be a number'],
    ]);
    const right = { query: 'ab', range: { from: 1 }, tags: ['x'], colour: 2, fill: null, size: 3 };
    expect(problemsOf(form, right)).toEqual([]);
  });

  it('finds the variant of a value', () => {
    const fill = fieldOf('fill');
    if (fill?.kind !== 'variants') throw new Error('no variants');
    expect(fill.variants.map(({ label }) => label)).toEqual(['number', 'null']);
    expect([variantOf(fill.variants, 3), variantOf(fill.variants, null)]).toEqual([0, 1]);
  });

  it('ends where a schema does not', () => {
    const endless = { $defs: { node: { type: 'object', properties: {} } }, $ref: '#/$defs/node' };
    Object.assign(endless.$defs.node.properties, {
      left: { $ref: '#/$defs/node' },
      right: { $ref: '#/$defs/node' },
      self: { $ref: '#/$defs/self' },
    });
    Object.assign(endless.$defs, { self: { $ref: '#/$defs/self' } });
    const text = JSON.stringify(formOf(endless));
    expect(text).toContain('"kind":"json"');
    expect(text.length).toBeLessThan(200_000);
  });

  it('takes whatever is no schema', () => {
    for (const odd of [
      null,
      'x',
      3,
      [],
      { type: 'object', properties: [], required: 'x' },
      { anyOf: [] },
    ]) {
      expect(problemsOf(formOf(odd), {})).toEqual([]);
    }
  });
});

describe('a member of arguments', () => {
  it('is changed in its place, added at the end, and left out', () => {
    expect(Object.entries(withMember({ a: 1, b: 2 }, 'a', 3))).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    expect(withMember({ a: 1 }, 'a', undefined)).toEqual({});
    expect(withMember(undefined, 'a', 1)).toEqual({ a: 1 });
  });

  it('may have any name', () => {
    const changed = withMember({}, '__proto__', 1);
    expect(Object.keys(changed)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(changed)).toBe(Object.prototype);
  });
});
