import type { CallToolResult } from '@longwire/client';
import { expect, test } from 'vitest';
import { toolResultBlock } from '../src/tool-results.ts';
import { png } from './support/setup.ts';
import { assertValidConversation } from './support/valid-conversation.ts';
import type { MessagesRequest } from './support/valid-conversation.ts';

/** The block for a result, after a check that the API would take it. */
function show(result: unknown, maxResultChars = 1000) {
  const block = toolResultBlock('toolu_1', result as CallToolResult, { maxResultChars });
  const body = {
    model: 'm',
    max_tokens: 1,
    tools: [{ name: 't', input_schema: { type: 'object' } }],
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 't', input: {} }] },
      { role: 'user', content: [block] },
    ],
  };
  assertValidConversation(body as unknown as MessagesRequest);
  return block;
}

/** Its content; texts as strings. */
function content(result: unknown, maxResultChars?: number): unknown[] {
  const parts = show(result, maxResultChars).content;
  if (typeof parts !== 'object') throw new Error('no blocks');
  return parts.map((part) => (part.type === 'text' ? part.text : part));
}

const image = {
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: png },
};

test('text', () => {
  expect(
    show({
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    }),
  ).toEqual({
    type: 'tool_result',
    tool_use_id: 'toolu_1',
    content: [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ],
  });
});

test('an error', () => {
  expect(show({ content: [{ type: 'text', text: 'no' }], isError: true }).is_error).toBe(true);
  expect(content({ content: [], isError: true })).toEqual([expect.stringContaining('error')]);
});

test('nothing at all', () => {
  const placeholder = ['(The tool returned nothing.)'];
  expect(content({ content: [] })).toEqual(placeholder);
  expect(content({ content: [{ type: 'text', text: ' \n' }] })).toEqual(placeholder);
  expect(content({})).toEqual(placeholder);
});

test('what is no content block is text all the same', () => {
  expect(content({ content: 'done' })).toEqual(['done']);
  expect(content({ content: ['a', null, 7, { type: 'text', text: { id: 1 } }] })).toEqual([
    'a',
    '7',
    '{"id":1}',
  ]);
});

test('images, by what they are and not by what they are called', () => {
  const mimeType = 'image/jpeg';
  expect(content({ content: [{ type: 'image', data: png, mimeType }] })).toEqual([image]);
  const wrapped = png.replace(/.{20}/g, '$&\n');
  expect(content({ content: [{ type: 'image', data: wrapped, mimeType }] })).toEqual([image]);
  const starts: [string, string][] = [
    ['image/jpeg', '\xff\xd8\xff\xe0'],
    ['image/gif', 'GIF89a'],
    ['image/webp', 'RIFF\x00\x00\x00\x00WEBPVP8 '],
  ];
  for (const [type, start] of starts) {
    const data = Buffer.from(start, 'latin1').toString('base64');
    expect(content({ content: [{ type: 'image', data, mimeType: 'x' }] })).toMatchObject([
      { source: { media_type: type } },
    ]);
  }
});

test('images that Claude cannot be shown', () => {
  const bmp = Buffer.from('BM\0\0\0\0').toString('base64');
  expect(content({ content: [{ type: 'image', data: bmp, mimeType: 'image/bmp' }] })).toEqual([
    '[Image (image/bmp, 6 bytes), not shown: it is not a PNG, JPEG, GIF or WebP image.]',
  ]);
  expect(content({ content: [{ type: 'image', data: '', mimeType: 'image/png' }] })).toEqual([
    '[Image (image/png, 0 bytes), not shown: it is empty.]',
  ]);
  const huge = png.replace(/=+$/, '') + 'A'.repeat(6 * 1024 * 1024);
  expect(content({ content: [{ type: 'image', data: huge, mimeType: 'image/png' }] })).toEqual([
    expect.stringMatching(
      /^\[Image \(image\/png, \d+ bytes\), not shown: it is larger than the 5 MiB/,
    ),
  ]);
  expect(
    content({ content: [{ type: 'image', data: png, mimeType: 'image/png' }], isError: true }),
  ).toEqual(['[Image (image/png, 70 bytes), which cannot be shown as part of an error.]']);
});

test('audio, and what is not known', () => {
  expect(
    content({
      content: [{ type: 'audio', data: 'AAAA', mimeType: 'audio/wav' }, { type: 'hologram' }, null],
    }),
  ).toEqual([
    '[Audio (audio/wav, 3 bytes), which cannot be shown.]',
    '[Content of the type "hologram", which cannot be shown.]',
  ]);
});

test('resources and links to them', () => {
  const resource = { uri: 'file:///a', mimeType: 'text/plain' };
  expect(
    content({
      content: [
        {
          type: 'resource_link',
          uri: 'file:///b.csv',
          name: 'b.csv',
          mimeType: 'text/csv',
          size: 12,
          description: 'Figures.',
        },
        { type: 'resource', resource: { ...resource, text: 'contents' } },
        { type: 'resource', resource: { uri: 'file:///c', mimeType: 'image/png', blob: png } },
        { type: 'resource', resource: { uri: 'file:///d', blob: 'AAAA' } },
      ],
    }),
  ).toEqual([
    '[Link to a resource file:///b.csv (text/csv, 12 bytes). Its contents are not here.]\nb.csv\nFigures.',
    '[Resource file:///a (text/plain)]\ncontents',
    '[Resource file:///c (image/png, 70 bytes)]',
    image,
    '[Resource file:///d (3 bytes), not shown: it is neither text, nor an image, nor a PDF.]',
  ]);
});

const base64 = (value: string | Uint8Array): string => Buffer.from(value).toString('base64');

test.each([
  ['text/plain', 'Grüße, 1\u00a0€'],
  ['text/csv', 'a;b\r\n1;2\r\n'],
  ['application/json', '{"a":1}'],
  ['application/vnd.api+json', '[]'],
  ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['application/xml', '<?xml version="1.0"?><a/>'],
  ['text/markdown; charset=utf-8', '# Title'],
  ['application/octet-stream', 'PASS=1\n'],
  [undefined, '\u001b[1mbold\u001b[0m'],
])('a blob that is text, called %s, is text', (mimeType, value) => {
  const resource = { uri: 'file:///a', mimeType, blob: base64(value) };
  const [shown] = content({ content: [{ type: 'resource', resource }] });
  expect(shown).toMatch(/^\[Resource file:\/\/\/a \(.*bytes\)\]\n/);
  expect(String(shown).split('\n').slice(1).join('\n')).toBe(value);
});

test('text in other encodings', () => {
  const show1 = (mimeType: string, bytes: Uint8Array) =>
    String(
      content({ content: [{ type: 'resource', resource: { mimeType, blob: base64(bytes) } }] }),
    );
  expect(show1('text/plain; charset="iso-8859-1"', Buffer.from('Grüße', 'latin1'))).toMatch(
    /\nGrüße$/,
  );
  expect(show1('text/plain', Buffer.from('\uFEFFGrüße', 'utf16le'))).toMatch(/\nGrüße$/);
  expect(show1('text/plain', Buffer.from('Grüße', 'latin1'))).toMatch(/not shown: it is neither/);
  expect(show1('text/plain; charset=none', Buffer.from('Grüße', 'latin1'))).toMatch(/not shown/);
});

test('a PDF is a document, whatever it is called', () => {
  const data = base64('%PDF-1.7\n%\xe2\xe3\n');
  const document = {
    type: 'document',
    source: { type: 'base64', media_type: 'application/pdf', data },
  };
  for (const mimeType of ['application/pdf', 'application/octet-stream', undefined]) {
    const resource = { uri: 'file:///a.pdf', mimeType, blob: data };
    expect(content({ content: [{ type: 'resource', resource }] })).toEqual([
      expect.stringContaining('Resource file:///a.pdf'),
      document,
    ]);
  }
  expect(content({ content: [{ type: 'image', mimeType: 'image/png', data }] })).toEqual([
    expect.stringContaining('Image (image/png'),
    document,
  ]);
  expect(
    content({ isError: true, content: [{ type: 'resource', resource: { blob: data } }] }),
  ).toEqual([expect.stringMatching(/cannot be shown as part of an error/)]);
});

test('images as data: URLs, of odd types, and without any', () => {
  for (const block of [
    { type: 'image', data: `data:image/png;base64,${png}`, mimeType: 'image/png' },
    { type: 'image', data: `DATA:image/jpg;charset=x; BASE64, ${png}` },
    { type: 'image', data: png, mimeType: 'image/jpg' },
    { type: 'image', data: png, mimeType: null },
    { type: 'image', data: png },
    { type: 'image', data: png.replaceAll('+', '-').replaceAll('/', '_') },
    { data: png },
  ]) {
    expect(content({ content: [block] })).toEqual([image]);
  }
  for (const resource of [
    { uri: 'a:b', blob: `data:image/png;base64,${png}` },
    { uri: 'a:b', blob: png, mimeType: 'application/octet-stream' },
    { uri: 'a:b', blob: png },
  ]) {
    expect(content({ content: [{ type: 'resource', resource }] })).toEqual([
      expect.stringContaining('Resource a:b'),
      image,
    ]);
  }
  expect(content({ content: [{ type: 'image', data: 'data:image/svg+xml,%3Csvg/%3E' }] })).toEqual([
    '[Image (image/svg+xml, 6 bytes)]\n<svg/>',
  ]);
});

test('blocks without a type, and texts that are no blocks', () => {
  expect(
    content({ content: ['a', { text: 'b' }, { resource: { uri: 'c:d', text: 'e' } }] }),
  ).toEqual(['a', 'b', '[Resource c:d]\ne']);
});

test('structured content, unless a text says the same', () => {
  const structuredContent = { temperature: 20, unit: 'C' };
  const json = '{"temperature":20,"unit":"C"}';
  expect(content({ content: [], structuredContent })).toEqual([json]);
  const pretty = '{\n  "unit": "C",\n  "temperature": 20\n}';
  expect(content({ content: [{ type: 'text', text: pretty }], structuredContent })).toEqual([
    pretty,
  ]);
  expect(content({ content: [{ type: 'text', text: '20 °C' }], structuredContent })).toEqual([
    '20 °C',
    json,
  ]);
  expect(content({ content: [{ type: 'text', text: '{broken' }], structuredContent })).toEqual([
    '{broken',
    json,
  ]);
});

test('cuts what is too long, and says so', () => {
  const blocks = ['a'.repeat(6), 'b'.repeat(6), 'c'].map((text) => ({ type: 'text', text }));
  const png1 = { type: 'image', data: png, mimeType: 'image/png' };
  expect(content({ content: [...blocks, png1] }, 10)).toEqual([
    'aaaaaa',
    'bbbb',
    image,
    expect.stringMatching(/^\[Cut: .* 13 characters.* first 10 are shown; 3 are missing.*narrower/),
  ]);
  expect(content({ content: blocks }, 13)).toEqual(['aaaaaa', 'bbbbbb', 'c']);
});

test('never cuts a character in two, and repairs what came broken', () => {
  expect(content({ content: [{ type: 'text', text: 'a😀b' }] }, 2)).toEqual([
    'a',
    expect.stringContaining('first 1 are shown; 3 are missing'),
  ]);
  expect(content({ content: [{ type: 'text', text: 'a\uDE00b😀' }] })).toEqual(['a\uFFFDb😀']);
});

test('leaves the result as it was', () => {
  const result = { content: [{ type: 'text', text: 'abcdef' }] };
  const before = structuredClone(result);
  content(result, 3);
  expect(result).toEqual(before);
});
