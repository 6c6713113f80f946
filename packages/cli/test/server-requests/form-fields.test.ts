import { describe, expect, it } from 'vitest';
import { formFields, parseValue, type Field } from '../../src/server-requests/form-fields.ts';

function fieldsOf(properties: object, required: string[] = []): Field[] {
  const requestedSchema = { type: 'object', properties, required };
  return formFields({ message: '', requestedSchema } as never);
}

function fieldOf(schema: object): Field {
  const [field] = fieldsOf({ it: schema });
  if (field === undefined) throw new Error('no field');
  return field;
}

describe('the fields of a form', () => {
  it.each<[object, Partial<Field>]>([
    [
      { type: 'string', title: 'T', maxLength: 9 },
      { kind: 'text', title: 'T', max: 9 },
    ],
    [
      { type: 'integer', minimum: 1 },
      { kind: 'integer', min: 1 },
    ],
    [
      { type: 'boolean', default: false },
      { kind: 'boolean', default: false },
    ],
    [
      { type: 'string', enum: ['a', 'b'], enumNames: ['Ah'] },
      {
        kind: 'one',
        choices: [
          { value: 'a', title: 'Ah' },
          { value: 'b', title: 'b' },
        ],
      },
    ],
    [
      { type: 'string', oneOf: [{ const: 'a', title: 'Ah' }, 'odd', { title: 'no value' }] },
      { kind: 'one', choices: [{ value: 'a', title: 'Ah' }] },
    ],
    [
      { type: 'array', minItems: 1, items: { anyOf: [{ const: 'a', title: 'Ah' }] } },
      { kind: 'several', min: 1, choices: [{ value: 'a', title: 'Ah' }] },
    ],
    [{ type: 'array', items: { enum: ['a'] } }, { kind: 'several' }],
  ])('%o', (schema, expected) => {
    expect(fieldOf(schema)).toMatchObject(expected);
  });

  it('are read from anything', () => {
    expect(formFields({ message: '', requestedSchema: {} } as never)).toEqual([]);
    expect(fieldsOf({ odd: 7, other: null })).toMatchObject([{ kind: 'text' }, { kind: 'text' }]);
  });

  it.each(['password', 'apiKey', 'API key', 'Your passphrase', 'PIN', 'client_secret', 'CVV'])(
    'with the name %s are a secret',
    (title) => {
      expect(fieldOf({ type: 'string', title }).isSecret).toBe(true);
    },
  );

  it.each(['name', 'Pinned', 'tokens used', 'Shipping address'])(
    'with the name %s are none',
    (title) => {
      expect(fieldOf({ type: 'string', title }).isSecret).toBe(false);
    },
  );
});

describe('a value that was written', () => {
  it.each<[object, string, unknown]>([
    [{ type: 'string' }, 'a, b', 'a, b'],
    [{ type: 'integer' }, ' 7 ', 7],
    [{ type: 'number' }, '-0.5', -0.5],
    [{ type: 'boolean' }, 'Yes', true],
    [{ type: 'boolean' }, 'n', false],
    [{ type: 'string', oneOf: [{ const: 'a', title: 'Ah' }] }, 'Ah', 'a'],
    [{ type: 'array', items: { enum: ['a', 'b', 'c'] } }, 'c, a', ['c', 'a']],
    [{ type: 'string', format: 'email' }, 'a@b', 'a@b'],
    [{ type: 'string', format: 'unheard-of' }, 'x', 'x'],
  ])('for %o: %s', (schema, text, value) => {
    expect(parseValue(fieldOf(schema), text)).toEqual({ ok: true, value });
  });

  it.each<[object, string, string]>([
    [{ type: 'integer' }, '1.5', 'write a whole number'],
    [{ type: 'integer' }, '', 'write a number'],
    [{ type: 'number', maximum: 3 }, '4', 'write at most 3'],
    [{ type: 'number' }, 'Infinity', 'write a number'],
    [{ type: 'boolean' }, 'maybe', 'write yes or no'],
    [{ type: 'string', minLength: 3 }, '🙂🙂', 'write at least 3 characters'],
    [{ type: 'string', format: 'date' }, '2026-13-40', 'write a date such as 2026-01-31'],
    [
      { type: 'string', format: 'uri' },
      'here',
      'write a whole address such as https://example.com',
    ],
    [{ type: 'string', enum: ['a', 'b'] }, 'c', 'write a, b'],
    [{ type: 'array', minItems: 2, items: { enum: ['a', 'b'] } }, 'a', 'choose at least 2'],
  ])('is wrong for %o: %s', (schema, text, problem) => {
    expect(parseValue(fieldOf(schema), text)).toEqual({ ok: false, problem });
  });
});
