import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { ToolPatterns } from '../../src/limits/tool-patterns.ts';

describe('patterns of tools', () => {
  it.each([
    ['render', 'render'],
    ['render_video', 'render_*'],
    ['render_', 'render_*'],
    ['fast_video', '*_video'],
    ['render_fast_video', 'render_*_video'],
    ['anything', '*'],
  ])('%s has the setting of %s', (tool, pattern) => {
    const patterns = ['*', 'render_*', '*_video', 'render_*_video', 'render'];
    const settings = Object.fromEntries(patterns.map((each) => [each, each]));
    const found = new ToolPatterns(settings).find(tool);
    expect(found).toEqual({ pattern, setting: pattern });
  });

  it('takes no characters twice, and no name of an object for a tool', () => {
    const patterns = new ToolPatterns({ 'aba*aba': 1, exact: 2 });
    expect(patterns.find('ababa')).toBeUndefined();
    expect(patterns.find('abaaba')).toMatchObject({ setting: 1 });
    expect(patterns.find('constructor')).toBeUndefined();
    expect(patterns.find('Exact')).toBeUndefined();
  });

  it('matches what others match', () => {
    const text = (...units: string[]): fc.Arbitrary<string> =>
      fc.string({ unit: fc.constantFrom(...units), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(text('a', 'b', '*'), text('a', 'b'), (pattern, tool) => {
        const isFound = new ToolPatterns({ [pattern]: true }).find(tool) !== undefined;
        // One star as they read many: `**` is a word of its own there.
        expect(isFound).toBe(picomatch.isMatch(tool, pattern.replaceAll(/\*+/g, '*')));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes a name of any length in little time', () => {
    const patterns = new ToolPatterns({ [`${'a*'.repeat(20)}b`]: true });
    expect(patterns.find('a'.repeat(1_000_000))).toBeUndefined();
  });
});
