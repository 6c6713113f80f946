import { describe, expect, it } from 'vitest';
import { overloadOf } from '../../src/untrusted/sdk-load.ts';

const many = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);
const text = { uri: 'a:b', text: 'x' };
const tool = { name: 'a', inputSchema: { type: 'object' } };

describe('overloadOf', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a small result, whatever is wrong in it', { contents: many(1900, 1) }],
    ['a long list', { contents: many(20_000, text) }],
    ['a long list of tools', { tools: many(20_000, tool) }],
    ['a long list with some faults', { contents: [...many(20_000, text), ...many(900, 1)] }],
    ['structured content of any size', { content: [], structuredContent: many(500_000, 1) }],
    ['metadata of any size', { contents: many(3000, text), _meta: { a: many(500_000, 1) } }],
  ])('has nothing against %s', (_name, result) => {
    expect(overloadOf(result)).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a list of what is none', { contents: many(20_000, 1) }, 'faults'],
    ['one of empty objects', { content: many(20_000, {}) }, 'faults'],
    ['one of tools without a schema', { tools: many(5000, { name: 'a' }) }, 'faults'],
    ['a million values', { contents: many(1_000_000, 1) }, 'values'],
    ['lists in what is listed', { tools: [{ ...tool, icons: many(20_000, 1) }] }, 'members'],
    ['another list', { completion: { values: many(20_000, 1) } }, 'members'],
    [
      'names without end',
      { capabilities: { experimental: Object.fromEntries(many(20_000, 1).map((v, i) => [i, v])) } },
      'members',
    ],
  ])('has something against %s', (_name, result, what) => {
    expect(overloadOf(result)).toContain(what);
  });
});
