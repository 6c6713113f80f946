import type { Tool } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { toolArguments } from '../../src/arguments/tool-arguments.ts';
import { exampleCall } from '../../src/describe/example-call.ts';

const toolWith = (properties: object, more: object = {}): Tool => ({
  name: 'tool',
  inputSchema: { type: 'object', properties, required: Object.keys(properties), ...more } as never,
});

describe('an example', () => {
  it.each<[object, string]>([
    [{ type: 'string' }, 'a=text'],
    [{ type: 'string', minLength: 9 }, "a='text text'"],
    [{ type: 'string', maxLength: 2 }, 'a=te'],
    [{ type: 'string', default: "it's" }, `'a=it'\\''s'`],
    [{ type: 'string', default: '@home' }, `'a:="@home"'`],
    [{ type: 'string', format: 'email' }, 'a=somebody@example.com'],
    [{ enum: ['x', 'y'] }, 'a=x'],
    [{ type: 'integer', minimum: 5 }, 'a=5'],
    [{ type: 'number', exclusiveMaximum: 0 }, 'a=-1'],
    [{ type: 'integer', multipleOf: 7, minimum: 10 }, 'a=14'],
    [{ type: 'boolean' }, 'a=false'],
    [{ type: ['null', 'integer'] }, 'a=1'],
    [{ type: 'array', items: { type: 'string', minLength: 1 }, minItems: 2 }, 'a=text,text'],
    [{ type: 'array', items: { type: 'string', default: 'a,b' } }, `'a:=["a,b"]'`],
    [{ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }, `'a:={"n":1}'`],
    [{ type: 'string', examples: ['AAPL'] }, 'a=AAPL'],
  ])('of %j is %s, which the schema takes', async (schema, written) => {
    const tool = toolWith({ a: schema });
    const example = await exampleCall(tool);
    const quoted = written.startsWith("a='") ? written.replace(/^a='(.*)'$/, "'a=$1'") : written;
    expect(example).toEqual({ words: [quoted], fits: true });
    const word = quoted.replaceAll(`'\\''`, '\u0000').replaceAll("'", '').replaceAll('\u0000', "'");
    await toolArguments(tool, { words: [word], cwd: '.' });
  });

  it.each(['\u001b[2J', 'a\nb', 'a\u202eb', 'a\u{e0041}b'])(
    'is none with %j in it',
    async (value) => {
      expect(
        await exampleCall(toolWith({ a: { type: 'string', default: value } })),
      ).toBeUndefined();
    },
  );

  it('has only what is required', async () => {
    const tool = toolWith({ a: { type: 'string' }, b: { type: 'string' } }, { required: ['b'] });
    expect((await exampleCall(tool))?.words).toEqual(['b=text']);
  });

  it('says that a value has to be replaced where a pattern wants another', async () => {
    const tool = toolWith({ a: { type: 'string', pattern: '^[0-9]{4}$' } });
    expect(await exampleCall(tool)).toEqual({ words: ['a=text'], fits: false });
  });

  it('is one JSON object where a name cannot be written', async () => {
    const tool = toolWith({ 'a=b': { type: 'integer' } });
    expect((await exampleCall(tool))?.words).toEqual(['--args', `'{"a=b":1}'`]);
    const evil = toolWith({ 'a\u001b[2J': { type: 'integer' } });
    expect((await exampleCall(evil))?.words).toEqual(['--args', `'{"a\\u001b[2J":1}'`]);
  });

  it.each<[string, Tool]>([
    [
      'too many arguments',
      toolWith(Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`f${n}`, {}]))),
    ],
    [
      'values within values without end',
      toolWith(
        { a: { $ref: '#/$defs/n' } },
        {
          $defs: {
            n: {
              type: 'object',
              properties: Object.fromEntries(
                Array.from({ length: 50 }, (_, n) => [`m${n}`, { $ref: '#/$defs/n' }]),
              ),
              required: Array.from({ length: 50 }, (_, n) => `m${n}`),
            },
          },
        },
      ),
    ],
  ])('is none for %s', async (_, tool) => {
    expect(await exampleCall(tool)).toBeUndefined();
  });
});
