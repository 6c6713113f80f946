import { changeEntries } from './list-mutations.ts';
import { isObject, type Mutate, type Table } from './mutation.ts';
import { oddSomewhere, oddText, oddValue, withoutSomething } from './odd-values.ts';

type Schema = Record<string, unknown>;

/** Odd schemas of the arguments and of the structured results of every tool. */
export const SCHEMA_MUTATIONS: Table<unknown> = {
  'not-a-schema': every((_, random) => oddValue(random)),
  'odd-value': every(oddSomewhere),
  'missing-property': every(withoutSomething),
  'pattern-catastrophic': text({ pattern: '^(a+)+$' }),
  'pattern-overlapping': text({ pattern: '^(a|a)*b$' }),
  'pattern-quadratic': text({ pattern: '(?:a*a*a*a*a*a*)*c' }),
  'pattern-invalid': text({ pattern: '([' }),
  // What Python writes, and what a regular expression with the flag u refuses.
  'pattern-of-others': text({ pattern: '(?P<name>^https\\:\\/\\/)' }),
  'pattern-long': text({ pattern: `^${'(a?)'.repeat(5000)}$` }),
  'pattern-lookbehind': text({ pattern: '(?<=(a+)+)!$' }),
  'pattern-properties': object({ patternProperties: { '^(t+e*)+x$': { type: 'string' } } }),
  'property-names': object({ propertyNames: { pattern: '^(t|te|e)+$' } }),
  'format-odd': text({ format: 'regex', contentMediaType: 1 }),
  'format-unknown': text({ format: '\u001b]0;title\u0007' }),
  'ref-to-itself': schema({ $ref: '#' }),
  'ref-loop': schema({
    type: 'object',
    $ref: '#/$defs/a',
    $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } },
  }),
  'ref-dangling': schema({ type: 'object', properties: { text: { $ref: '#/$defs/none' } } }),
  'ref-remote': schema({ type: 'object', allOf: [{ $ref: 'http://127.0.0.1:9/schema.json' }] }),
  'ref-file': schema({ type: 'object', allOf: [{ $ref: 'file:///etc/passwd' }] }),
  'ref-recursive': schema({
    type: 'object',
    properties: { text: { type: 'string' }, child: { $ref: '#' } },
  }),
  'ref-dynamic': schema({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $dynamicAnchor: 'node',
    type: 'object',
    properties: { text: { $dynamicRef: '#node' } },
  }),
  'id-of-all': object({ $id: 'https://example.com/same' }),
  'id-odd': every((value, random) => ({ ...(value as object), $id: oddText(random) })),
  'draft-unknown': object({ $schema: 'https://example.com/no-such-draft' }),
  'draft-04': object({ $schema: 'http://json-schema.org/draft-04/schema#', id: 'x' }),
  'any-of-many': text({ anyOf: Array.from({ length: 5000 }, (_, n) => ({ const: n })) }),
  'one-of-many': text({
    oneOf: Array.from({ length: 2000 }, (_, n) => ({ type: 'string', minLength: n })),
  }),
  'any-of-deep': schema({ type: 'object', properties: { text: nested('anyOf', 500) } }),
  'not-deep': schema({ type: 'object', properties: { text: nested('not', 500) } }),
  'all-of-doubling': schema({
    type: 'object',
    properties: { text: { $ref: '#/$defs/n24' } },
    $defs: Object.fromEntries(
      Array.from({ length: 25 }, (_, n) => [
        `n${n}`,
        n === 0
          ? { type: 'string' }
          : { allOf: [{ $ref: `#/$defs/n${n - 1}` }, { $ref: `#/$defs/n${n - 1}` }] },
      ]),
    ),
  }),
  'enum-many': text({ enum: Array.from({ length: 100_000 }, (_, n) => `value ${n}`) }),
  'properties-many': schema({
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: 20_000 }, (_, n) => [`argument${n}`, { type: 'string' }]),
    ),
  }),
  'properties-of-prototypes': schema(
    JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{},"text":{}},"required":["__proto__"]}',
    ) as Schema,
  ),
  'properties-odd': schema({ type: 'object', properties: [], required: 'text' }),
  'required-many': object({ required: Array.from({ length: 5000 }, (_, n) => `r${n}`) }),
  'types-odd': schema({ type: ['object', 'object', 'nothing'], properties: { text: { type: 1 } } }),
  'numbers-odd': text({ minLength: -1, maxLength: 'x', multipleOf: 0 }),
  'unique-items': object({ uniqueItems: true, minItems: 1e308, contains: {} }),
  'control-sequences': every((value, random) => ({
    ...(value as object),
    properties: { text: { type: 'string', description: oddText(random), enum: [oddText(random)] } },
  })),
};

/** Changes every schema of every tool, whatever the list calls it. */
function every(mutate: Mutate<unknown>): Mutate<unknown> {
  return (result, random, about) =>
    changeEntries(result, (tools) =>
      tools.map((tool) => {
        if (!isObject(tool)) return tool;
        const names = Object.keys(tool).filter((name) => /schema$/i.test(name));
        return {
          ...tool,
          ...Object.fromEntries(names.map((name) => [name, mutate(tool[name], random, about)])),
        };
      }),
    );
}

function schema(value: Schema): Mutate<unknown> {
  return every(() => value);
}

function object(properties: Schema): Mutate<unknown> {
  return every((value) => ({ ...(value as object), ...properties }));
}

function text(properties: Schema): Mutate<unknown> {
  return schema({ type: 'object', properties: { text: { type: 'string', ...properties } } });
}

function nested(keyword: 'anyOf' | 'not', depth: number): Schema {
  let inner: Schema = { type: 'string' };
  for (let level = 0; level < depth; level += 1) {
    inner = { [keyword]: keyword === 'not' ? inner : [inner, { type: 'null' }] };
  }
  return inner;
}
