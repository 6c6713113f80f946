import type { Tool } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { toolArguments, unnamedArguments } from '../../src/arguments/tool-arguments.ts';
import { describeArguments } from '../../src/tool-table.ts';

const tool = (inputSchema: object): Tool => ({ name: 'tool', inputSchema }) as unknown as Tool;

describe('arguments that are not named at the root', () => {
  const parts = {
    $defs: { named: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
  };
  const text = { type: 'object', properties: { s: { type: 'string' } }, required: ['s'] };

  it.each<[string, object, string]>([
    ['a reference', { ...parts, $ref: '#/$defs/named' }, 'n*: integer'],
    ['allOf', { ...parts, allOf: [{ $ref: '#/$defs/named' }, text] }, 'n*: integer, s*: string'],
    ['anyOf', { ...parts, anyOf: [{ $ref: '#/$defs/named' }, text] }, 'n: integer, s: string'],
    [
      'alternatives that share a name',
      {
        oneOf: [
          { properties: { k: { const: 'a' } }, required: ['k'] },
          { properties: { k: { const: 'b' } }, required: ['k'] },
        ],
      },
      'k*: "a" or "b"',
    ],
    ['alternatives beside properties', { ...text, anyOf: [{ required: ['s'] }, {}] }, 's*: string'],
  ])('%s', (_, schema, described) => {
    expect(describeArguments(tool(schema))).toBe(described);
  });

  it('get their types, and are missed', async () => {
    const both = tool({ ...parts, allOf: [{ $ref: '#/$defs/named' }, text] });
    expect(await toolArguments(both, { words: ['n=1', 's=1'], cwd: '.' })).toEqual({
      n: 1,
      s: '1',
    });
    await expect(toolArguments(both, { words: ['s=1'], cwd: '.' })).rejects.toThrow(
      /`n` \(integer\) is missing/,
    );
    await expect(toolArguments(both, { words: ['n=x', 's=1'], cwd: '.' })).rejects.toThrow(
      /`n` must be a whole number/,
    );
    expect(
      await toolArguments(tool({ ...parts, anyOf: [{ $ref: '#/$defs/named' }, text] }), {
        words: ['n=1'],
        cwd: '.',
      }),
    ).toEqual({ n: 1 });
  });

  it('end the search in a schema that refers to itself many times', () => {
    const refs = Array.from({ length: 20 }, () => ({ $ref: '#' }));
    expect(describeArguments(tool({ ...text, anyOf: refs, allOf: refs }))).toContain('s*: string');
  });
});

describe('a schema that has more alternatives than there is time for', () => {
  const pick = (i: number): object => ({ properties: { [`p${i}`]: { type: 'string' } } });
  const many = Array.from({ length: 5000 }, (_, i) => pick(i));
  const parts = Array.from({ length: 500 }, () => ({ anyOf: many.slice(0, 70) }));

  it.each<[string, object]>([
    ['thousands', { anyOf: many }],
    ['thousands that hold together', { allOf: many }],
    ['that multiply', { allOf: parts }],
    [
      'for every argument',
      {
        properties: Object.fromEntries(many.map((_, i) => [`p${i}`, { $ref: '#/$defs/all' }])),
        $defs: { all: { allOf: parts } },
      },
    ],
  ])('is described all the same: %s', (_what, schema) => {
    expect(describeArguments(tool({ type: 'object', ...schema }))).toContain('p0');
  });
});

describe('a name that the tool does not know', () => {
  const properties = { duration: { type: 'integer' } };

  it('is remarked where it is not refused', () => {
    const args = { duraton: 1, duration: 2 };
    expect(unnamedArguments(tool({ properties }), args)).toEqual([
      { argument: 'duraton', names: ['duration'] },
    ]);
  });

  it('is meant where the tool names none, or says that it takes others', () => {
    expect(unnamedArguments(tool({ properties: {} }), { a: 1 })).toEqual([]);
    const open = tool({ properties, additionalProperties: true });
    expect(unnamedArguments(open, { a: 1 })).toEqual([]);
  });
});
