import { expect, it } from 'vitest';
import type { Job } from './jobs.ts';
import { comparedPage, verdictOf } from './page.ts';

const job: Job = {
  title: "What's there?",
  wanted: /found/,
  ways: { longwire: 'longwire a | b', mcporter: 'm', 'mcp-inspector': 'i', fastmcp: 'f' },
};
const found = { lines: ['', 'found | `it`', 'b', 'c', 'd'], code: 0 };
const nothing = { lines: [], code: 2 };

it('a cell says whether the job was done, the exit code and what was typed', () => {
  expect(verdictOf(job, 'longwire', found)).toBe('yes, 0, 14');
  expect(verdictOf(job, 'mcporter', nothing)).toBe('**no**, 2, 1');
});

it('the page shows the first lines, and breaks no table', () => {
  const outcomes = { longwire: found, mcporter: nothing, 'mcp-inspector': nothing, fastmcp: found };
  const versions = { longwire: '', mcporter: '1', 'mcp-inspector': '2', fastmcp: '3' };
  const page = comparedPage([{ job, outcomes }], versions);
  expect(page).toContain("| [What's there?](#whats-there) | yes, 0, 14 | **no**, 2, 1 |");
  expect(page).toContain(
    String.raw`| ${'`'}longwire a \| b${'`'} | ${'``'} found \| ${'`it`'} ${'``'}<br>`,
  );
  expect(page).toContain('… and 1 more');
  expect(page).toContain('| `m` | nothing | 2 |');
});
