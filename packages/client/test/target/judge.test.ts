import { describe, expect, it } from 'vitest';
import { judge, type Finding, type Signs } from '../../src/target/judge.ts';

type Objection = Signs['objection'];
type Row = [
  answered: boolean,
  sawTools: boolean,
  objection: Objection,
  graceOver: boolean,
  found: Finding | undefined,
  asked: Finding | undefined,
];

/** Every combination: what is found out, and what is found when HTTP+SSE was asked for. */
const rows: Row[] = [
  [true, false, 'none', false, 'sse', 'sse'],
  [true, true, 'none', false, 'sse', 'sse'],
  [true, true, 'foreign', true, 'sse', 'sse'],
  [true, true, 'refused', true, 'sse', 'sse'],
  [false, false, 'none', false, undefined, undefined],
  [false, false, 'none', true, undefined, undefined],
  [false, false, 'foreign', false, undefined, undefined],
  [false, false, 'foreign', true, undefined, undefined],
  [false, false, 'refused', false, undefined, 'refused'],
  [false, false, 'refused', true, 'refused', 'refused'],
  [false, true, 'none', false, undefined, undefined],
  [false, true, 'none', true, 'tool-events-unanswered', undefined],
  [false, true, 'foreign', false, 'tool-events', undefined],
  [false, true, 'foreign', true, 'tool-events', undefined],
  [false, true, 'refused', false, 'tool-events', 'refused'],
  [false, true, 'refused', true, 'tool-events', 'refused'],
];

describe('judge', () => {
  it.each(rows)(
    'answered %s, tools %s, objection %s, grace over %s → %s, or %s if asked for',
    (answered, sawTools, objection, graceOver, found, asked) => {
      const signs = { answered, sawTools, objection, graceOver };
      expect(judge({ ...signs, dialect: undefined })).toBe(found);
      expect(judge({ ...signs, dialect: 'sse' })).toBe(asked);
    },
  );
});
