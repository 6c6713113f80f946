import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { createGlob } from '../../src/untrusted/glob.js';

describe('a pattern of names', () => {
  it.each([
    ['read_*', ['read_', 'read_a/b', 'read_.x'], ['xread_a', 'read']],
    ['*', ['', 'a', '.a/b'], []],
    ['get*by*id', ['getbyid', 'get_user_by_its_id'], ['get_user_by_ids']],
    ['a?c', ['abc', 'a/c', 'a😀c'], ['ac', 'abbc']],
    ['{read,list}_*', ['read_a', 'list_'], ['write_a', '{read,list}_a']],
    ['{a,b{c,d*}}x', ['ax', 'bcx', 'bdefx'], ['bx', 'a']],
    ['{a,}b', ['ab', 'b'], ['a']],
    ['[a-c]1', ['a1', 'c1'], ['d1', '-1']],
    ['[!a-c]1', ['d1'], ['a1']],
    ['!a', ['!a'], ['b']],
    ['\\*', ['*'], ['a', '\\a']],
    ['a{b}c,[d', ['a{b}c,[d'], ['abc,d']],
    ['+(a)', ['+(a)'], ['a', 'aa']],
    ['', [''], ['a']],
  ])('%s', (pattern, matching, others) => {
    const matches = createGlob(pattern);
    expect(matching.filter((text) => !matches(text))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });

  it('matches if one of several does', () => {
    const matches = createGlob(['a*', 'b']);
    expect(['a', 'ab', 'b', 'bb', 'c'].filter(matches)).toEqual(['a', 'ab', 'b']);
  });

  it('is the opposite after a `!`, where that is asked for', () => {
    const matches = createGlob('!read_*', { negation: true });
    expect(['read_a', 'write_a'].filter(matches)).toEqual(['write_a']);
  });

  it.each([
    ['file:///logs/*.txt', ['file:///logs/a.txt'], ['file:///logs/a/b.txt', 'file:///logs/a.md']],
    ['a/**', ['a/b', 'a/b/c'], ['b/a']],
    ['a/**/b', ['a/b', 'a/c/b', 'a/c/d/b'], ['a/cb', 'ab']],
    ['**/b', ['b', 'a/b', 'a/c/b'], ['ab']],
    ['a?b', ['axb'], ['a/b']],
    ['a[!x]b', ['ayb'], ['a/b', 'axb']],
  ])('of paths: %s', (pattern, matching, others) => {
    const matches = createGlob(pattern, { separator: '/' });
    expect(matching.filter((text) => !matches(text))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });

  it('goes once through a text, however many stars there are', () => {
    const text = 'getby'.repeat(40_000);
    expect(createGlob('get*by*get*by*get*by*id')(text)).toBe(false);
    expect(createGlob('{get,*}{by,*}{get,*}{by,*}id')(text)).toBe(false);
    expect(createGlob('a**b**c**d', { separator: '/' })('abc/'.repeat(40_000))).toBe(false);
  });

  it('means what it means in other glob libraries', () => {
    const word = fc.stringMatching(/^[ab_]{0,8}$/);
    const part = fc.constantFrom('a', 'b', '_', '*', '?', '{a,b}', '{ab,_*}', '[ab]');
    const pattern = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, fc.array(word, { minLength: 1, maxLength: 20 }), (glob, words) => {
        const theirs = picomatch(glob, { bash: true, dot: true, nonegate: true });
        // The other takes no empty text for anything.
        const texts = words.filter((text) => text !== '');
        expect(texts.filter(createGlob(glob))).toEqual(texts.filter((text) => theirs(text)));
      }),
    );
  });
});
