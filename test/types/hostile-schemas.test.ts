import type { Tool } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { readTypes } from '../../packages/cli/src/types/read-types.ts';
import { writeTypes } from '../../packages/cli/src/types/write-types.ts';
import { compile } from './compile.ts';

/** What would be code, a comment, or an order to the compiler, were it written as it is. */
const attacks = [
  '*/ export const evil = 1; /*',
  '*\\/ export const evil = 1; /*',
  '@ts-expect-error',
  '@ts-ignore',
  'x\n@ts-expect-error',
  'x\n * @ts-expect-error',
  'x\r@ts-nocheck',
  '"; export const evil = 1; "',
  "'; export const evil = 1; '",
  '\\"; export const evil = 1; //',
  '}; export const evil = 1; type X = {',
  '${evil}`',
  '\u2028export const evil = 1;',
  '\u2029*/export const evil = 1;',
  'x\n}\nexport const evil = 1',
  '/// <reference path="/etc/passwd" />',
  '__proto__',
  'constructor',
  '[name: string]',
  'readonly a',
  'a?',
  '',
  '\ud800',
  '\u0000\u001b[31m\u202e',
];

/** A tool with an attack wherever a server writes a text. */
function tool(attack: string, index: number): Tool {
  const inner = {
    type: 'object',
    title: attack,
    description: attack,
    properties: Object.fromEntries([
      [attack, { type: 'string', format: attack, pattern: attack, default: attack }],
      [`x${attack}`, { enum: [attack, { [attack]: attack }], examples: [attack] }],
      ['c', { $ref: `#/$defs/${attack.replaceAll('/', '~1')}` }],
      ['d', { $ref: attack, type: attack, tsType: attack }],
    ]),
    required: [attack],
    patternProperties: { [attack]: { const: attack, description: attack } },
    additionalProperties: false,
  };
  const $defs = Object.fromEntries([[attack, { ...inner, $anchor: attack }]]);
  return {
    name: `${attack}${index}`,
    title: attack,
    description: attack,
    annotations: { title: attack },
    inputSchema: { ...inner, $defs, tsEnumNames: [attack] },
    outputSchema: { ...inner, $defs, $id: attack },
  } as unknown as Tool;
}

/** `A0` refers to `A1`, and so on. */
function chain(length: number, link: (next: object) => object): Record<string, object> {
  const entries = Array.from({ length }, (_, n) => [`A${n}`, link({ $ref: `#/$defs/A${n + 1}` })]);
  return Object.fromEntries(entries) as Record<string, object>;
}

const text = { type: 'string' };
const many = (count: number, make: (n: number) => object): Record<string, object> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, make(n)]));

/** Schemas with cycles, and such as are too much for a compiler. */
const monsters: Readonly<Record<string, object>> = {
  itself: { $ref: '#' },
  'a part of itself': {
    type: 'object',
    properties: { a: { $ref: '#' }, b: { $ref: '#/properties/a' } },
  },
  'either itself': { anyOf: [{ $ref: '#' }, text] },
  'a circle': {
    $defs: { A: { allOf: [{ $ref: '#/$defs/B' }] }, B: { oneOf: [{ $ref: '#/$defs/A' }, text] } },
    properties: { a: { $ref: '#/$defs/A' }, b: { type: 'array', items: { $ref: '#/$defs/B' } } },
  },
  'a tree': {
    $defs: {
      Node: {
        type: 'object',
        properties: {
          left: { $ref: '#/$defs/Node' },
          right: { anyOf: [{ $ref: '#/$defs/Node' }, { type: 'null' }] },
        },
        additionalProperties: { $ref: '#/$defs/Node' },
      },
    },
    properties: { root: { $ref: '#/$defs/Node' } },
  },
  JSON: {
    $defs: {
      Json: {
        anyOf: [
          { type: ['string', 'number', 'boolean', 'null'] },
          { type: 'array', items: { $ref: '#/$defs/Json' } },
          { type: 'object', additionalProperties: { $ref: '#/$defs/Json' } },
        ],
      },
    },
    properties: { any: { $ref: '#/$defs/Json' } },
  },
  'a long chain': {
    $defs: chain(3000, (next) => ({ anyOf: [next, text] })),
    properties: { a: { $ref: '#/$defs/A0' } },
  },
  'a chain of objects': {
    $defs: chain(3000, (next) => ({ type: 'object', properties: { next } })),
    properties: { a: { $ref: '#/$defs/A0' } },
  },
  'twice each': {
    $defs: chain(400, (next) => ({ type: 'object', properties: { a: next, b: next } })),
    properties: { a: { $ref: '#/$defs/A0' } },
  },
  'alternatives of alternatives': {
    $defs: chain(60, (next) => ({
      allOf: [{ anyOf: [{ required: ['a'] }, { required: ['b'] }] }, next],
    })),
    allOf: [{ $ref: '#/$defs/A0' }],
  },
  'very wide': { type: 'object', properties: many(100_000, () => text) },
  'very wide values': { properties: { a: { enum: Array.from({ length: 100_000 }, (_, n) => n) } } },
  'many alternatives': {
    properties: { a: { anyOf: Object.values(many(20_000, (n) => ({ const: n }))) } },
  },
  'many objects': {
    properties: {
      a: {
        anyOf: Object.values(
          many(4000, (n) => ({ type: 'object', properties: { [`k${n}`]: text } })),
        ),
      },
    },
  },
  'very deep': {
    properties: {
      a: Array.from({ length: 900 }).reduce<object>(
        (inner) => ({ type: 'array', items: inner }),
        text,
      ),
    },
  },
};

const write = (tools: readonly Tool[], name = 'it'): string =>
  writeTypes([{ name, tools }], { redact: (all) => all }).text;

describe('schemas of a stranger', () => {
  it('bring no code into the file, and no order to the compiler', async () => {
    const file = write(attacks.map(tool), '*/ evil\n@ts-expect-error');
    const { interfaces, definitions } = readTypes(file);
    expect([...interfaces.keys()]).toEqual(['EvilTsExpectError', 'Tools']);
    for (const name of definitions.keys()) expect(name).toMatch(/^EvilTsExpectError\w*$/);
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(file).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e\ud800]/);
    expect(file).not.toMatch(/^ *(?:\/\*\*| \*).*(?<![\w\\])@/m);
    const program = [
      `import * as all from './tools.js';`,
      `const none: {} = all;`,
      `// @ts-expect-error`,
      `console.log(all.evil, none);`,
    ].join('\n');
    expect(await compile({ 'tools.ts': file, 'program.ts': program })).toBe('');
  });

  it.each(Object.keys(monsters))('compile soon: %s', async (name) => {
    const schema = { ...monsters[name], type: 'object' };
    const file = write([{ name, inputSchema: schema, outputSchema: monsters[name] } as never]);
    expect(file.length).toBeLessThan(2_000_000);
    expect(await compile({ 'tools.d.ts': file }, { options: { types: [] } })).toBe('');
    readTypes(file);
  });

  it('have servers that are called as what the language has', async () => {
    const names = ['Tools', 'tools', 'Array', 'object', 'String', 'Promise', 'never', '1', '-', ''];
    const list = { type: 'array', items: { type: 'object', properties: { a: text } } };
    const one = { name: 'x', inputSchema: { type: 'object', properties: { list } } };
    const all = names.map((name) => ({ name, tools: [one as never] }));
    const file = writeTypes(all, { redact: (same) => same }).text;
    expect(readTypes(file).interfaces.size).toBe(names.length + 1);
    expect(await compile({ 'tools.ts': file }, { options: { types: [] } })).toBe('');
  });

  it('have what they say of themselves in a cycle', () => {
    const { definitions, interfaces } = readTypes(
      write([{ name: 'tree', inputSchema: { ...monsters['a tree'], type: 'object' } as never }]),
    );
    expect(definitions.get('ItTreeNode')?.text).toBe(
      '{ "left"?: ItTreeNode; "right"?: ItTreeNode | null; […]: ItTreeNode | null | undefined }',
    );
    expect(interfaces.get('It')?.text).toContain('"root"?: ItTreeNode');
  });
});
