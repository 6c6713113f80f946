import type { Tool } from '@longwire/client';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findTool, toolArguments } from '../../src/arguments/tool-arguments.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'longwire-arguments-'));
});
afterAll(() => {
  rmSync(cwd, { recursive: true });
});

function toolWith(properties: Record<string, unknown>, rest: object = {}): Tool {
  return {
    name: 'tool',
    inputSchema: { type: 'object', properties, ...rest } as Tool['inputSchema'],
  };
}

function read(tool: Tool, words: string[], json?: string): Promise<Record<string, unknown>> {
  return toolArguments(tool, { words, json, cwd });
}

/** One argument `a` of a schema, written as `a=text`. */
async function typed(schema: unknown, text: string): Promise<unknown> {
  return (await read(toolWith({ a: schema }), [`a=${text}`]))['a'];
}

describe('key=value becomes the type that the schema names', () => {
  it.each<[unknown, string, unknown]>([
    [{ type: 'string' }, '5', '5'],
    [{ type: 'string' }, '', ''],
    [{ type: 'string' }, 'x=y:=z', 'x=y:=z'],
    [{ type: 'number' }, '2.5', 2.5],
    [{ type: 'number' }, '-1e3', -1000],
    [{ type: 'integer' }, '42', 42],
    [{ type: 'boolean' }, 'true', true],
    [{ type: 'boolean' }, 'false', false],
    [{ type: 'null' }, 'null', null],
    [{ type: 'array', items: { type: 'string' } }, 'a,b', ['a', 'b']],
    [{ type: 'array', items: { type: 'integer' } }, '1, 2', [1, 2]],
    [{ type: 'array', items: { type: 'string' } }, '["a,b","c"]', ['a,b', 'c']],
    [{ type: 'array' }, '', []],
    [{ type: 'object' }, '{"x":1}', { x: 1 }],
    [{ enum: ['a', 2, null] }, '2', 2],
    [{ const: 7 }, '7', 7],
    [{ type: ['integer', 'null'] }, 'null', null],
    [{ type: ['integer', 'string'] }, 'x', 'x'],
    [{ type: ['integer', 'string'] }, '3', 3],
    [{ type: ['string', 'integer'] }, '3', '3'],
    [{ type: ['integer', 'string'] }, '-3', -3],
    [{ type: ['integer', 'string'] }, '007', '007'],
    [{ type: ['integer', 'string'] }, '+49301234', '+49301234'],
    [{ type: ['integer', 'string'] }, '1e5', '1e5'],
    [{ type: ['integer', 'string'] }, '3.0', '3.0'],
    [{ type: ['integer', 'string'] }, '-0', '-0'],
    [{ type: ['integer', 'string'] }, '9007199254740993', '9007199254740993'],
    [{ type: ['number', 'string'] }, '0.10', '0.10'],
    [{ type: ['number', 'string'] }, '0.1', 0.1],
    [{ type: ['number', 'string'] }, '12345678901234567890', '12345678901234567890'],
    [{ anyOf: [{ type: 'number' }, { type: 'string' }] }, '.5', '.5'],
    [{ anyOf: [{ type: 'integer' }, {}] }, '007', '007'],
    [{ type: ['integer', 'null'] }, '007', 7],
    [{ anyOf: [{ type: 'integer' }, { enum: ['all'] }] }, '007', 7],
    [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, '3', 3],
    [{ oneOf: [{ type: 'boolean' }, { type: 'string' }] }, 'maybe', 'maybe'],
    [{ allOf: [{ type: 'integer' }, { minimum: 1 }] }, '3', 3],
    [{}, '3', '3'],
    [true, '3', '3'],
  ])('%j, %j: %j', async (schema, text, expected) => {
    expect(await typed(schema, text)).toEqual(expected);
  });

  it('follows references into the same document, also circular ones', async () => {
    const tool = toolWith(
      { a: { $ref: '#/$defs/count' }, b: { $ref: '#/$defs/loop' } },
      { $defs: { count: { type: 'integer' }, loop: { $ref: '#/$defs/loop' } } },
    );
    expect(await read(tool, ['a=3'])).toEqual({ a: 3 });
    await read(tool, ['b=3']).catch(() => undefined);
  });

  it('uses the schema of additional properties', async () => {
    const tool = toolWith({}, { additionalProperties: { type: 'number' } });
    expect(await read(tool, ['x=1'])).toEqual({ x: 1 });
  });

  it('joins a list that is given item by item', async () => {
    const tool = toolWith({ a: { type: 'array', items: { type: 'string' } } });
    expect(await read(tool, ['a=x', 'a=y,z'])).toEqual({ a: ['x', 'y', 'z'] });
  });

  it('takes any name, also one of every object', async () => {
    const args = await read(toolWith({}), ['__proto__=x', 'constructor=y']);
    expect(Object.entries(args)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});

describe('other ways to write an argument', () => {
  it('key:=json passes JSON', async () => {
    expect(await read(toolWith({}), ['a:={"x":[1,null]}', 'b:="1"'])).toEqual({
      a: { x: [1, null] },
      b: '1',
    });
  });

  it('key=@file reads a file, key:=@file reads JSON', async () => {
    writeFileSync(join(cwd, 'text'), 'line\n');
    writeFileSync(join(cwd, 'number'), '12\n');
    writeFileSync(join(cwd, 'json'), '{"x":1}\n');
    const tool = toolWith({ s: { type: 'string' }, n: { type: 'number' } });
    expect(await read(tool, ['s=@text', 'n=@number', 'j:=@json'])).toEqual({
      s: 'line\n',
      n: 12,
      j: { x: 1 },
    });
  });

  it('reads a binary file where the schema wants Base64, and only there', async () => {
    writeFileSync(join(cwd, 'binary'), Buffer.from([0xff, 0x00, 0xfe]));
    const schema = { type: 'string', contentEncoding: 'base64' };
    expect(await typed(schema, '@binary')).toBe('/wD+');
    await expect(typed({ type: 'string' }, '@binary')).rejects.toThrow(/`a`.*not UTF-8/);
  });

  it('--args gives all as one object, of which words win', async () => {
    writeFileSync(join(cwd, 'args'), '{"a":"file"}');
    expect(await read(toolWith({}), ['b=2'], '{"a":1,"b":1}')).toEqual({ a: 1, b: '2' });
    expect(await read(toolWith({}), [], '@args')).toEqual({ a: 'file' });
  });
});

describe('what is wrong is found before anything is sent, and named', () => {
  it('a missing argument, and the misspelt one that stands for it', async () => {
    const open = toolWith({ message: { type: 'string' } }, { required: ['message'] });
    await expect(read(open, [])).rejects.toThrow('is missing: write message=… after the tool');
    await expect(read(open, ['mesage=hi'])).rejects.toThrow('write message=… instead of mesage=…');
  });

  const strict = toolWith(
    { message: { type: 'string' }, count: { type: 'integer', minimum: 1 } },
    { required: ['message'], additionalProperties: false },
  );

  it.each<[string, string[], RegExp]>([
    ['a missing argument', ['count=1'], /`message` \(string\) is missing/],
    ['a wrong type', ['message=x', 'count=many'], /`count` must be a whole number; "many" is not/],
    ['a fraction for a whole number', ['message=x', 'count=1.5'], /`count` must be a whole number/],
    ['an unknown argument', ['mesage=x'], /no argument `mesage`.*message/],
    ['malformed JSON', ['message:={'], /`message` is not valid JSON/],
    ['a word without =', ['hello'], /"hello" is not an argument/],
    ['a word without a name', ['=hello'], /is not an argument/],
    ['an argument given twice', ['message=a', 'message=b'], /`message` is given twice/],
    ['a file that is not there', ['message=@nothing'], /`message`.*no such file/],
    ['what only the schema knows', ['message=x', 'count=0'], /`count` must be >= 1/],
    ['a wrong type in JSON', ['message:=1'], /`message` must be string/],
  ])('%s', async (_, words, message) => {
    await expect(read(strict, words)).rejects.toThrow(message);
    await expect(read(strict, words)).rejects.toMatchObject({
      code: 'invalid-arguments',
      certainty: 'not-sent',
    });
  });

  it.each<[unknown, string, RegExp]>([
    [{ enum: ['a', 'b'] }, 'c', /must be one of a, b; "c" is not/],
    [{ type: 'boolean' }, 'yes', /must be true or false/],
    [{ type: 'number' }, '', /must be a number/],
    [{ type: 'number' }, 'Infinity', /must be a number/],
    [{ type: 'number' }, '0x10', /must be a number/],
    [{ type: 'integer' }, '9007199254740993.5', /must be a whole number/],
    [{ type: 'array', items: { type: 'integer' } }, '1,x', /each item is a whole number/],
    [{ type: 'array' }, '[1', /must be a list/],
    [{ type: 'object' }, '[]', /must be a JSON object/],
    [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, 'x', /must be integer or null/],
  ])('%j refuses %j', async (schema, text, message) => {
    await expect(typed(schema, text)).rejects.toThrow(message);
  });

  it('--args that is no object', async () => {
    for (const json of ['[]', 'null', '1', '{"a":']) {
      await expect(read(toolWith({}), [], json)).rejects.toThrow(/--args/);
    }
  });

  it('names the place within an argument', async () => {
    const tool = toolWith({ list: { type: 'array', items: { type: 'string' } } });
    await expect(read(tool, ['list:=["a",1]'])).rejects.toThrow(/`list\/1` must be string/);
  });
});

describe('schemas as servers send them', () => {
  it('may hold formats that nobody knows, without a word on the console', async () => {
    const warn = vi.spyOn(console, 'warn');
    const error = vi.spyOn(console, 'error');
    expect(await typed({ type: 'integer', format: 'uint32' }, '3')).toBe(3);
    expect(warn).not.toHaveBeenCalled();
    expect(error).not.toHaveBeenCalled();
  });

  it('check nothing where they cannot be compiled', async () => {
    expect(await typed({ type: 'bogus' }, 'x')).toBe('x');
    const odd = { ...toolWith({}), inputSchema: undefined } as unknown as Tool;
    expect(await read(odd, ['a=1'])).toEqual({ a: '1' });
  });
});

describe('schemas that would stop the command', () => {
  const evil = '^(a+)+$';
  const text = `${'a'.repeat(40)}!`;

  it.each<[string, object, string[], Record<string, unknown>]>([
    ['a pattern', { properties: { a: { pattern: evil } } }, [`a=${text}`], { a: text }],
    ['a pattern of names', { patternProperties: { [evil]: {} } }, [`${text}=1`], { [text]: '1' }],
    [
      'references to each other',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      ['a=1'],
      { a: '1' },
    ],
  ])('check nothing, and say so: %s', async (_what, schema, words, args) => {
    const onUnchecked = vi.fn<(reason: string) => void>();
    const tool = { name: 'tool', inputSchema: { type: 'object', ...schema } } as Tool;
    expect(await toolArguments(tool, { words, cwd, onUnchecked })).toEqual(args);
    expect(onUnchecked).toHaveBeenCalledOnce();
  });

  it.each(['2020-12', '2019-09'])('are not those that name %s', async (version) => {
    const $schema = `https://json-schema.org/draft/${version}/schema`;
    const tool = toolWith({ a: { type: 'string', pattern: '^b' } }, { $schema });
    await expect(read(tool, ['a=c'])).rejects.toThrow(/`a` must match pattern/);
  });

  it('take a name that a pattern names, with its type', async () => {
    const patternProperties = { '^n_': { type: 'integer' }, '^s_': { type: 'string' } };
    const tool = toolWith({}, { patternProperties, additionalProperties: false });
    expect(await read(tool, ['n_a=1', 's_a=1'])).toEqual({ n_a: 1, s_a: '1' });
    await expect(read(tool, ['x=1'])).rejects.toThrow(/no argument `x`/);
  });
});

describe('what cannot be read', () => {
  it('says why, with the hint for the one that it helps', async () => {
    const message = /`a`: cannot read \.: it is a directory \(for text that begins with @/;
    await expect(read(toolWith({}), ['a=@.'])).rejects.toThrow(message);
    await expect(read(toolWith({}), [], '@none')).rejects.toThrow(
      /^--args: cannot read none: there is no such file$/,
    );
  });
});

describe('findTool', () => {
  const tools = ['echo', 'stream_stock_prices', 'add'].map((name) => ({ ...toolWith({}), name }));

  it('finds by the exact name', () => {
    expect(findTool('add', tools).name).toBe('add');
  });

  it('names the nearest', () => {
    expect(() => findTool('ecoh', tools)).toThrow(/Did you mean echo\?/);
    expect(() => findTool('stock', tools)).toThrow(/Did you mean stream_stock_prices\?/);
    expect(() => findTool('zzzzzz', tools)).toThrow(/longwire tools/);
    expect(() => findTool('x', tools)).toThrow(expect.objectContaining({ code: 'unknown-tool' }));
  });
});
