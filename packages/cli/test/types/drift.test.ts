import type { Tool } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { format } from 'prettier';
import { driftOf, type Drift } from '../../src/types/drift.ts';
import { driftLine } from '../../src/types/print-drift.ts';
import { writeTypes } from '../../src/types/write-types.ts';

const add: Tool = {
  name: 'add',
  description: "It's a sum: 1 + 1 | 2",
  inputSchema: {
    type: 'object',
    properties: {
      a: { type: 'number', description: 'one' },
      b: { enum: ["it's", '"b"', 'c', 'a text that is long', 'and another one that is longer'] },
      path: { $ref: '#/$defs/Path' },
    },
    required: ['a'],
    $defs: { Path: { type: 'array', items: { type: ['string', 'number', 'null'] } } },
  },
  outputSchema: {
    type: 'object',
    properties: { sum: { type: 'number' }, 'how-so': { type: 'string' } },
    required: ['sum'],
  },
};
const none: Tool = { name: 'none', inputSchema: { type: 'object', properties: {} } };

function written(tools: Tool[], name = 'calc', ...more: { name: string; tools: Tool[] }[]): string {
  return writeTypes([{ name, tools }, ...more], { redact: (text) => text }).text;
}

function changed(change: (tool: Tool) => void): Tool {
  const tool = structuredClone(add);
  change(tool);
  return tool;
}

const properties = (tool: Tool): Record<string, unknown> =>
  tool.inputSchema.properties as Record<string, unknown>;

describe('what a file has otherwise', () => {
  const file = written([add, none]);

  it.each([{}, { singleQuote: true }, { printWidth: 30, semi: false, tabWidth: 4 }])(
    'is nothing for a file that prettier changed: %j',
    async (options) => {
      const pretty = await format(file, { parser: 'typescript', ...options });
      expect(pretty).not.toBe(file);
      expect(driftOf(pretty, file)).toEqual([]);
    },
  );

  it('is nothing for a file whose lines end as on Windows', () => {
    expect(driftOf(file.replaceAll('\n', '\r\n'), file)).toEqual([]);
  });

  it('is nothing where a server lists in another order', () => {
    const other = changed((tool) => {
      const { a, b, path } = properties(tool);
      tool.inputSchema.properties = { path, b, a } as never;
    });
    expect(written([none, other])).not.toBe(file);
    expect(driftOf(file, written([none, other]))).toEqual([]);
  });

  it.each<[string, Tool[], string[]]>([
    ['a new tool', [add, none, { ...none, name: 'x' }], ['Calc "x": a new tool']],
    ['a tool that is gone', [add], ['Calc "none": the tool is gone']],
    [
      'an argument that is new',
      [changed((tool) => void (properties(tool)['c'] = { type: 'boolean' })), none],
      ['Calc "add": argument "c" is new, optional boolean'],
    ],
    [
      'an argument that is gone',
      [changed((tool) => delete properties(tool)['b']), none],
      [`Calc "add": argument "b" is gone`],
    ],
    [
      'an argument of another type',
      [changed((tool) => void (properties(tool)['a'] = { type: 'string' })), none],
      ['Calc "add": argument "a" was number, is string'],
    ],
    [
      'an argument that is required now',
      [changed((tool) => void (tool.inputSchema.required = ['a', 'b'])), none],
      [
        expect.stringMatching(
          /^Calc "add": argument "b" was optional "it's" \| .*, is "it's" \| /,
        ) as string,
      ],
    ],
    [
      'a definition that changed',
      [changed((tool) => void (tool.inputSchema['$defs'] = { Path: { type: 'string' } })), none],
      ['Calc "add": argument "path" was optional CalcAddPath, is optional CalcAddPath'],
    ],
    [
      'another result',
      [
        changed((tool) => {
          tool.outputSchema = { type: 'object', properties: { total: { type: 'number' } } };
        }),
        none,
      ],
      [
        'Calc "add": member of the result "how-so" is gone',
        'Calc "add": member of the result "sum" is gone',
        'Calc "add": member of the result "total" is new, optional number',
      ],
    ],
    [
      'no result',
      [changed((tool) => delete tool.outputSchema), none],
      ['Calc "add": structured result is gone'],
    ],
    [
      'another description',
      [
        changed((tool) => void (properties(tool)['a'] = { type: 'number', description: 'two' })),
        none,
      ],
      ['Calc "add": described otherwise'],
    ],
    [
      'what no type says',
      [
        changed(
          (tool) =>
            void (properties(tool)['a'] = { type: 'number', description: 'one', $comment: 'x' }),
        ),
        none,
      ],
      ['Calc: its schemas changed in what types do not say'],
    ],
  ])('is %s', (_what, tools, lines) => {
    expect(driftOf(file, written(tools)).map(driftLine)).toEqual(lines);
  });

  it('is a server that came, or is gone', () => {
    const two = written([add, none], 'calc', { name: 'more', tools: [none] });
    const added: Partial<Drift>[] = [{ interface: 'More', tool: null, change: 'server-added' }];
    expect(driftOf(file, two)).toEqual(added);
    expect(driftOf(two, file)).toEqual([{ ...added[0], change: 'server-removed' }]);
  });

  it.each([
    [`${file}\nconst x = 1;`, 'it has more'],
    [file.replace('export interface Calc {', 'export interface Calc {{'), 'it is broken'],
    [file.replace('a: number', 'a: "x\\q"'), 'a text is none'],
    [file.replace('(format 1)', '(format 0)'), 'it has another format'],
  ])('is all of it, where %#: %s', (text) => {
    expect(driftOf(text, file)).toEqual([{ interface: null, tool: null, change: 'format' }]);
  });
});
