import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { Tool } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { readTypes } from '../../packages/cli/src/types/read-types.ts';
import { writeTypes } from '../../packages/cli/src/types/write-types.ts';
import { compile } from './compile.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Schema = boolean | { [keyword: string]: unknown };

const names = ['a', 'b', 'c-d', '1', 'x9', 'new', "it's", 'new\nline'];
const name = fc.constantFrom(...names);
const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -5, max: 5 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom('', 'x', 'y', '*/', '"', '\\', '\u2028', '${a}', '`'),
);
const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
  ),
})).value;

const schema: fc.Arbitrary<Schema> = fc.letrec<{ schema: Schema }>((tie) => {
  const inner = tie('schema');
  const some = fc.array(inner, { minLength: 1, maxLength: 3 });
  return {
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<Schema>(true, {}, { type: 'string' }, { type: 'null' }, { type: 'boolean' }),
      fc.record({ type: fc.constantFrom('number', 'integer'), minimum: fc.integer({ max: 2 }) }),
      fc.record({ type: fc.constant('string'), minLength: fc.nat(1) }),
      fc.record({
        enum: fc.uniqueArray(value, {
          minLength: 1,
          maxLength: 4,
          selector: (each) => JSON.stringify(each),
        }),
      }),
      fc.record({ const: value }),
      fc.record(
        {
          type: fc.uniqueArray(fc.constantFrom('string', 'null', 'array', 'object'), {
            minLength: 1,
          }),
          items: inner,
        },
        { requiredKeys: ['type'] },
      ),
      fc.record(
        {
          type: fc.constant('object'),
          properties: fc.dictionary(name, inner, { maxKeys: 4 }),
          required: fc.uniqueArray(name, { maxLength: 3 }),
          additionalProperties: inner,
          patternProperties: fc.dictionary(fc.constantFrom('^a', 'd$', '[0-9]'), inner, {
            maxKeys: 2,
          }),
        },
        { requiredKeys: ['type'] },
      ),
      fc.record(
        {
          type: fc.constant('array'),
          prefixItems: some,
          items: inner,
          minItems: fc.nat(3),
          maxItems: fc.nat(3),
        },
        { requiredKeys: ['type'] },
      ),
      fc.record({ anyOf: some }),
      fc.record({ oneOf: some }),
      fc.record({ allOf: some }),
      fc.record({ not: inner }),
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      fc.record({ if: inner, then: inner, else: inner }),
      fc.record({ $ref: fc.constantFrom('#/$defs/A', '#/$defs/B', '#/$defs/C') }),
    ),
  };
}).schema;

/** Definitions that may hold each other, and themselves: by an item, so that each value has an end. */
const document = fc.record({
  schema,
  A: schema,
  B: fc.record({ type: fc.constant('array'), items: fc.constant({ $ref: '#/$defs/B' }) }),
  C: fc.constant({
    type: 'object',
    properties: { a: { $ref: '#/$defs/C' }, b: { type: 'array', items: { $ref: '#/$defs/C' } } },
    additionalProperties: { type: ['string', 'null'] },
  }),
});

/** The type that holds this value alone, as TypeScript has it. */
function exactType(json: Json): string {
  if (Array.isArray(json)) return `[${json.map(exactType).join(', ')}]`;
  if (typeof json !== 'object' || json === null) {
    return typeof json === 'number' ? String(json) : JSON.stringify(json);
  }
  const members = Object.entries(json).map(
    ([key, member]) => `${JSON.stringify(key)}: ${exactType(member)};`,
  );
  return `{ ${members.join(' ')} }`;
}

/** Whether a value fits a schema; `undefined` where ajv cannot use it. */
function validator(whole: object): ((json: Json) => boolean) | undefined {
  try {
    const takes = new Ajv2020({ strict: false, logger: false }).compile(whole);
    return (json) => {
      try {
        return takes(json);
      } catch {
        // A definition that is nothing but itself.
        return false;
      }
    };
  } catch {
    return undefined;
  }
}

/** A value that may fit a schema. What is not told of in it is not there. */
function candidate(
  schema: unknown,
  given: { defs: object; pick: (below: number) => number; depth: number },
): Json {
  const { defs, pick, depth } = given;
  const one = <T>(list: readonly T[]): T => list[pick(list.length)] as T;
  const below = (part: unknown): Json => candidate(part, { ...given, depth: depth + 1 });
  if (typeof schema !== 'object' || schema === null) return one<Json>([null, 'x', 1, [], true]);
  if (depth > 6) return null;
  const keywords = schema as Record<string, unknown>;
  const { type, items = true, properties = {}, patternProperties = {}, required = [] } = keywords;
  if (typeof keywords['$ref'] === 'string') {
    return below((defs as Record<string, unknown>)[keywords['$ref'].slice(-1)]);
  }
  if ('const' in keywords) return keywords['const'] as Json;
  if (Array.isArray(keywords['enum'])) return one(keywords['enum'] as Json[]);
  for (const each of [keywords['anyOf'], keywords['oneOf']]) {
    if (Array.isArray(each)) return below(one(each));
  }
  if (Array.isArray(keywords['allOf'])) {
    const parts = keywords['allOf'].map(below);
    const areObjects = parts.every(
      (part) => typeof part === 'object' && part !== null && !Array.isArray(part),
    );
    return areObjects ? (Object.assign({}, ...parts) as Json) : one(parts);
  }
  switch (Array.isArray(type) ? one(type as unknown[]) : type) {
    case 'string':
      return one(['x', 'two words', '']);
    case 'number':
    case 'integer':
      return one([3, 100, 2.5]);
    case 'boolean':
      return true;
    case 'array': {
      const first = (keywords['prefixItems'] ?? []) as unknown[];
      const length = Math.max(pick(4), (keywords['minItems'] ?? 0) as number);
      return Array.from({ length }, (_, index) => below(first[index] ?? items));
    }
    case 'object': {
      const told = Object.entries(properties as object).filter(
        ([key]) => (required as string[]).includes(key) || pick(2) === 0,
      );
      const forced = (required as string[]).map(
        (key) => [key, (properties as Record<string, unknown>)[key] ?? true] as const,
      );
      const matching = Object.entries(patternProperties as object).map(
        ([pattern, part]) =>
          [pattern.replaceAll(/\W/g, '').replace('09', '7'), part as unknown] as const,
      );
      const others =
        'additionalProperties' in keywords
          ? [['other', keywords['additionalProperties']] as const]
          : [];
      return Object.fromEntries(
        [...others, ...matching, ...forced, ...told].map(([key, part]) => [key, below(part)]),
      );
    }
    default:
      return one<Json>([null, 'x', 1, [], true]);
  }
}

/** Values that know nothing of the schema. */
const strays: readonly Json[] = [null, true, 0, 1.5, 'x', '', [], [1, 'x'], [[null]]];

/**
 * With many others a value comes, once in a while, that shares no name with a type of optional members alone. It fits
 * its schema, and TypeScript takes it for a mistake.
 */
const SEED = Number(process.env['SCHEMAS_SEED'] ?? 1);

describe('types of random schemas', () => {
  it('take every value that ajv takes, and are TypeScript', { timeout: 600_000 }, async () => {
    const samples = fc.sample(document, { numRuns: 600, seed: SEED });
    const tools: Tool[] = [];
    const checks: string[] = [];
    let seed = 1;
    // https://en.wikipedia.org/wiki/Linear_congruential_generator
    const pick = (below: number): number => {
      seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (const [index, sample] of samples.entries()) {
      const { schema, ...defs } = JSON.parse(JSON.stringify(sample)) as typeof sample;
      const whole = { $defs: defs, allOf: [schema] };
      const takes = validator(whole);
      if (takes === undefined) continue;
      const name = `t${index}`;
      tools.push({ name, inputSchema: { type: 'object' }, outputSchema: whole } as never);
      const candidates = Array.from({ length: 8 }, () =>
        candidate(schema, { defs, pick, depth: 0 }),
      );
      for (const [at, each] of [...strays, ...candidates].entries()) {
        if (!takes(each)) continue;
        checks.push(
          `declare const ${name}_${at}: ${exactType(each)};`,
          `export const ${name}v${at}: Tools["${name}"]["structured"] = ${name}_${at};`,
        );
      }
    }
    expect(tools.length).toBeGreaterThan(400);
    expect(checks.length).toBeGreaterThan(2000);
    const { text } = writeTypes([{ name: 'random', tools }], { redact: (all) => all });
    expect(readTypes(text).interfaces.get('Random')?.members?.size).toBe(tools.length);
    const program = `import type { Tools } from './tools.js';\n${checks.join('\n')}\n`;
    const said = await compile({ 'tools.d.ts': text, 'program.ts': program });
    const [, wrong] = /program\.ts\((\d+),/.exec(said) ?? [];
    const [, tool] = /Tools\["(\w+)"\]/.exec(program.split('\n')[Number(wrong) - 1] ?? '') ?? [];
    const schema = tools.find(({ name }) => name === tool)?.outputSchema;
    expect(said.slice(0, 2000), JSON.stringify(schema)).toBe('');
  });
});
