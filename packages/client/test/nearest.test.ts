import { describe, expect, it } from 'vitest';
import { didYouMean, nameList, nearest, shortName } from '../src/nearest.ts';

const MIB = 1024 * 1024;

describe('nearest', () => {
  it('finds what was misspelt, best first, at most three', () => {
    expect(nearest('reed_file', ['write_file', 'read_files', 'read_file', 'list'])).toEqual([
      'read_file',
      'read_files',
      'write_file',
    ]);
    expect(nearest('file', ['a_file', 'file_b', 'other'])).toEqual(['a_file', 'file_b']);
    expect(nearest('zzzz', ['read_file'])).toEqual([]);
  });

  it('passes over names that are far longer than any that is written', () => {
    const long = Array.from({ length: 200 }, (_, at) => `${'a'.repeat(100_000)}${at}`);
    expect(nearest('read_flie', [...long, 'x'.repeat(MIB), 'read_file'])).toEqual(['read_file']);
    expect(nearest('a'.repeat(100_000), long)).toEqual([]);
    expect(nearest('a'.repeat(MIB), ['a'])).toEqual([]);
  });

  it('looks through twenty thousand names, for each of ten words', () => {
    const names = Array.from({ length: 20_000 }, (_, at) => `${'n'.repeat(100)}_${at}`);
    for (let at = 0; at < 10; at++) expect(nearest(`${'m'.repeat(100)}_${at}`, names)).toEqual([]);
    expect(nearest('xtool', [...names, 'tool'])).toEqual(['tool']);
  });
});

describe('names in a message', () => {
  it('are cut', () => {
    expect(shortName('read')).toBe('read');
    expect(shortName('x'.repeat(MIB))).toBe(`${'x'.repeat(127)}…`);
    expect(didYouMean('xyz', [`xyz${'a'.repeat(MIB)}`])).toBe('');
  });

  it('are counted where they are many', () => {
    expect(nameList(['a', 'b'])).toBe('a, b');
    expect(nameList([])).toBe('');
    const many = nameList(Array.from({ length: 20_000 }, (_, at) => `tool${at}`));
    expect(many).toMatch(/^tool0, tool1, .*, tool19 and 19980 more$/);
    expect(nameList(['x'.repeat(MIB)]).length).toBeLessThan(200);
  });
});
