import { expect, it } from 'vitest';
import { matching } from '../../src/palette/match.ts';

const commands = ['Open Calls', 'Open Events', 'Run search', 'Run read_file', 'Show only search'];
const find = (query: string): string[] => matching(query, commands, (text) => text);

it('finds commands by letters in their order, the nearest first', () => {
  expect(find('')).toEqual(commands);
  expect(find('oc')[0]).toBe('Open Calls');
  expect(find('run s')[0]).toBe('Run search');
  expect(find('search')).toEqual(['Run search', 'Show only search']);
  expect(find('rf')).toEqual(['Run read_file']);
  expect(find('xyz')).toEqual([]);
});
