import { describe, expect, it } from 'vitest';
import { parseTarget, type UrlTarget } from '../../src/dial/target.ts';

const parseUrl = (target: string) => parseTarget(target) as UrlTarget;

const asked = (target: string) =>
  parseUrl(target).candidates.map(({ url, by }) => `${by.join('+')} ${url.href}`);

describe('parseTarget', () => {
  it('reads a command, and names it by its program', () => {
    expect(parseTarget({ command: '/usr/bin/npx', args: ['-y', 'x'] })).toEqual({
      kind: 'command',
      name: 'npx',
      command: '/usr/bin/npx',
      args: ['-y', 'x'],
      env: {},
    });
  });

  it.each([
    [{ command: '' }, /command/],
    [{ command: 'a', args: 'b' }, /args/],
    [{ command: 'a', env: { A: 1 } }, /env: the value of A/],
    [{ command: 'a', arg: [] }, /arg: no such part/],
    [{ server: {} }, /server/],
    [null, /no target/],
  ])('refuses %j and says what is wrong', (target, message) => {
    expect(() => parseTarget(target as unknown as string)).toThrow(message);
    expect(() => parseTarget(target as unknown as string)).toThrow(TypeError);
  });

  it.each([
    ['http://h:1/sse', ['stream+post http://h:1/sse']],
    ['http://h:1/a/sse?k=v', ['stream+post http://h:1/a/sse?k=v']],
    ['http://h:1/sse/', ['stream+post http://h:1/sse/', 'stream+post http://h:1/sse']],
    ['http://h:1/mcp', ['post+stream http://h:1/mcp']],
    [
      'http://h:1/?k=v',
      ['post http://h:1/mcp?k=v', 'stream http://h:1/sse?k=v', 'post+stream http://h:1/?k=v'],
    ],
    [
      'http://h:1/a/',
      ['post+stream http://h:1/a/', 'post http://h:1/a/mcp', 'stream http://h:1/a/sse'],
    ],
  ])('finds the candidates of %s: %j', (target, expected) => {
    expect(asked(target)).toEqual(expected);
  });

  it('moves user info from the URL into a header', () => {
    const { url, authorization } = parseUrl('http://me:p%40ss@h:1/sse#x');
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
