import { describe, expect, it } from 'vitest';
import {
  isTarget,
  looksLikeAddress,
  nameOf,
  parseTarget,
  serverNames,
  writtenTarget,
} from '../src/target.ts';

describe('a target', () => {
  it('is a URL', () => {
    expect(isTarget('http://127.0.0.1:3001/sse')).toBe(true);
    expect(isTarget('HTTPS://h')).toBe(true);
    for (const word of ['echo', 'a=http://h', '127.0.0.1:3001', 'ns:tool', '']) {
      expect(isTarget(word)).toBe(false);
    }
  });

  it('is http or https', () => {
    expect(parseTarget('https://h/sse?x=1').href).toBe('https://h/sse?x=1');
    expect(() => parseTarget('ftp://h')).toThrow(/neither http/);
    expect(() => parseTarget('http://')).toThrow(/not a valid URL/);
  });

  it.each(['127.0.0.1:3001', 'localhost:3001/sse', 'localhost', 'example.org:80', '[::1]:3001'])(
    'lacks only its scheme: %s',
    (word) => {
      expect(looksLikeAddress(word)).toBe(true);
      expect(() => parseTarget(word)).toThrow(`write http://${word}`);
    },
  );

  it.each(['joe:p/w@h:1/sse', 'ftp://joe:p w@h', 'http://joe:pw@', 'joe:pw@localhost/sse'])(
    'shows no password where it is wrong: %s',
    (word) => {
      expect(() => parseTarget(word)).toThrow(/^target "/);
      expect(() => parseTarget(word)).not.toThrow(/joe|p.?w@/);
    },
  );

  it('has a name unlike all others', () => {
    expect(serverNames(['http://a:1/sse', 'http://b:1/sse'])).toEqual(['a:1', 'b:1']);
    expect(serverNames(['http://a/x', 'http://a/y', 'http://b/x'])).toEqual(['a/x', 'a/y', 'b']);
    expect(serverNames(['http://a/x', 'http://b/y'], [undefined, 'a'])).toEqual(['a/x', 'a']);
    expect(serverNames(['http://a/?k=1', 'http://a/?k=2'])).toEqual(['a/', 'a/#2']);
  });

  it('may be a command, whose name is that of its program', () => {
    const command = { command: '/opt/bin/server', args: ['a b', '', '--x=1'] };
    expect(writtenTarget(command)).toBe('/opt/bin/server "a b" "" --x=1');
    expect(nameOf(command)).toBe('server');
    expect(nameOf({ command: 'C:\\bin\\server.exe' })).toBe('server.exe');
    expect(serverNames(['http://server/x', command, 'http://server/y'])).toEqual([
      'server/x',
      'server',
      'server/y',
    ]);
    expect(serverNames(['http://server/x', command])).toEqual(['server/x', 'server']);
  });

  it.each(['echo', 'github.search', 'ns/tool', 'ns:tool', 'v1.2', 'a:b=c'])(
    'is not %s, which may be a tool',
    (word) => {
      expect(looksLikeAddress(word)).toBe(false);
    },
  );
});
