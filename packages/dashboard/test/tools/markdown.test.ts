import { describe, expect, it } from 'vitest';
import { parseMarkdown, safeLink } from '../../src/tools/markdown.ts';
import { mediaUrl } from '../../src/tools/media.ts';

describe('Markdown', () => {
  it('has blocks and spans', () => {
    const text =
      '# Title\n\nSome **bold _and_ more** `code`\nnext\n\n- one\n  more\n- two\n\n1. a\n\n```js\n# no heading\n```\n---\n> said';
    expect(parseMarkdown(text)).toMatchObject([
      { type: 'heading', level: 1, inside: [{ type: 'text', text: 'Title' }] },
      {
        type: 'paragraph',
        inside: [
          { type: 'text', text: 'Some ' },
          {
            type: 'strong',
            inside: [
              { text: 'bold ' },
              { type: 'emphasis', inside: [{ text: 'and' }] },
              { text: ' more' },
            ],
          },
          { type: 'text', text: ' ' },
          { type: 'code', text: 'code' },
          { type: 'text', text: '\nnext' },
        ],
      },
      { type: 'list', isOrdered: false, items: [[{ text: 'one\nmore' }], [{ text: 'two' }]] },
      { type: 'list', isOrdered: true },
      { type: 'code', text: '# no heading' },
      { type: 'rule' },
      { type: 'quote', inside: [{ text: 'said' }] },
    ]);
  });

  it('has no HTML, and no link but to http and https', () => {
    const text =
      '<img src=x onerror=alert(1)> [a](javascript:alert(1)) [b](https://example.com/) data:text/html,x';
    expect(parseMarkdown(text)).toEqual([
      {
        type: 'paragraph',
        inside: [
          { type: 'text', text: '<img src=x onerror=alert(1)> [a](javascript:alert(1)) ' },
          { type: 'link', href: 'https://example.com/', inside: [{ type: 'text', text: 'b' }] },
          { type: 'text', text: ' data:text/html,x' },
        ],
      },
    ]);
  });

  it('reads what is meant to take long', () => {
    for (const piece of ['[', '**', '`', '_a', '* x\n', '> ', '[a](', '```\n']) {
      expect(parseMarkdown(piece.repeat(8_000)).length).toBeGreaterThan(0);
    }
  });
});

describe('links and media', () => {
  it('are those that can do no harm', () => {
    expect(safeLink('https://example.com/a b')).toBe('https://example.com/a%20b');
    for (const bad of [
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      '/relative',
    ]) {
      expect(safeLink(bad)).toBeUndefined();
    }
    expect(mediaUrl('image', { data: 'AAAA', mimeType: 'image/png' })).toEqual({
      url: 'data:image/png;base64,AAAA',
    });
    for (const bad of [
      { data: 'AAAA', mimeType: 'image/svg+xml' },
      { data: 'AAAA', mimeType: 'text/html' },
      { data: '"><script>', mimeType: 'image/png' },
      { data: 'A'.repeat(3 * 1024 * 1024), mimeType: 'image/png' },
      { data: undefined, mimeType: undefined },
    ]) {
      expect(mediaUrl('image', bad)).toHaveProperty('problem');
    }
    expect(mediaUrl('audio', { data: 'AAAA', mimeType: 'audio/wav' })).toHaveProperty('url');
  });
});
