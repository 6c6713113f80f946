import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/target/target.ts';

const candidates = (target: string) => parseTarget(target).candidates.map(({ href }) => href);

describe('parseTarget', () => {
  it.each([
    ['http://h:1/sse', ['http://h:1/sse']],
    ['http://h:1/a/sse?k=v', ['http://h:1/a/sse?k=v']],
    ['http://h:1/sse/', ['http://h:1/sse/', 'http://h:1/sse']],
    ['http://h:1/mcp', ['http://h:1/mcp']],
    ['http://h:1', ['http://h:1/sse', 'http://h:1/']],
    ['http://h:1/?k=v', ['http://h:1/sse?k=v', 'http://h:1/?k=v']],
    ['http://h:1/a', ['http://h:1/a', 'http://h:1/a/sse']],
    ['http://h:1/a/', ['http://h:1/a/', 'http://h:1/a/sse']],
  ])('looks for %s in %j', (target, expected) => {
    expect(candidates(target)).toEqual(expected);
  });

  it('takes user info out of the URL and into a header', () => {
    const { url, authorization } = parseTarget('http://me:p%40ss@h:1/sse#x');
    expect(url.href).toBe('http://h:1/sse');
    expect(authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  });

  it.each(['nonsense', '', 'localhost:3001', '127.0.0.1:3001/sse', 'ftp://h/sse'])(
    'refuses %j and says what a target looks like',
    (target) => {
      expect(() => parseTarget(target)).toThrowError(/URL/);
    },
  );
});
