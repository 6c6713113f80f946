import { describe, expect, it } from 'vitest';
import { decide, type Decision, type Evidence } from '../../src/dial/decide.ts';

type Objection = Evidence['refusal'];
type Row = [
  answered: boolean,
  sawTools: boolean,
  refusal: Objection,
  graceOver: boolean,
  found: Decision | undefined,
  asked: Decision | undefined,
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

describe('decide', () => {
  it.each(rows)(
    'answered %s, tools %s, refusal %s, grace over %s → %s, or %s if asked for',
    (answered, sawTools, refusal, graceOver, found, asked) => {
      const signs = { answered, sawTools, refusal, graceOver };
      expect(decide({ ...signs, transport: undefined })).toBe(found);
      expect(decide({ ...signs, transport: 'sse' })).toBe(asked);
    },
  );
});
