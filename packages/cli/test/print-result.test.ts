import { readFile } from 'node:fs/promises';
import type { CallToolResult } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { describeResult } from '../src/print-result.ts';
import { MediaFolder } from '../src/save-media.ts';

const lines = (result: unknown): Promise<string[]> =>
  describeResult(result as CallToolResult, { tool: 'read', media: new MediaFolder() });
const texts = (...all: string[]): unknown[] => all.map((text) => ({ type: 'text', text }));

describe('structured content that repeats the content is not printed again', () => {
  it.each<[string, unknown, unknown[], string[]]>([
    ['the text, as server-filesystem has it', { content: 'a\nb' }, texts('a\nb'), ['a\nb']],
    ['the text, as FastMCP has it', { result: 'hello' }, texts('hello'), ['hello']],
    ['a list of the texts', { result: ['a', 'b'] }, texts('a', 'b'), ['a', 'b']],
    ['the content itself', { content: texts('a') }, texts('a'), ['a']],
    ['as JSON, which is printed once, indented', { n: 1 }, texts('{"n":1}'), ['{\n  "n": 1\n}']],
  ])('%s', async (_, structuredContent, content, printed) => {
    expect(await lines({ content, structuredContent })).toEqual(printed);
  });
});

describe('structured content that says more is printed', () => {
  it.each<[string, unknown, unknown[]]>([
    ['another text', { content: 'a' }, texts('b')],
    ['a further property', { content: 'a', size: 1 }, texts('a')],
    ['a number for a text', { result: 1 }, texts('one')],
    ['one text of two', { result: 'a' }, texts('a', 'b')],
    ['no content', { result: [] }, []],
  ])('%s', async (_, structuredContent, content) => {
    const printed = await lines({ content, structuredContent });
    expect(printed.at(-1)).toBe(JSON.stringify(structuredContent, null, 2));
    expect(printed).toHaveLength(content.length + 1);
  });
});

describe('data is saved as what it is', () => {
  it.each([
    ['Base64', 'iVBORw0KGgo=', 'image/jpg', '.jpg'],
    ['a data: URL', 'data:image/png;base64,iVBORw0KGgo=', undefined, '.png'],
    ['a data: URL that is given a type', 'data:;base64,iVBORw0KGgo=', 'image/png', '.png'],
  ])('%s', async (_, data, mimeType, ending) => {
    const [line] = await lines({ content: [{ type: 'image', data, mimeType }] });
    const path = / saved to (.*)$/.exec(line ?? '')?.[1] ?? '';
    expect(path.endsWith(ending)).toBe(true);
    expect(await readFile(path, 'base64')).toBe('iVBORw0KGgo=');
  });
});
