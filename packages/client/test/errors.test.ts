import { expect, it } from 'vitest';
import { ERROR_CODES, type Certainty } from '../src/index.ts';

const CERTAINTIES: readonly Certainty[] = ['not-sent', 'refused', 'answered', 'outcome-unknown'];

it.each(Object.entries(ERROR_CODES))(
  'the code %s says what happened, how certain it is, and what to do',
  (_code, meaning) => {
    expect(meaning.what).toMatch(/\.$/);
    expect(meaning.todo).toMatch(/\.$/);
    expect(meaning.certainties.length).toBeGreaterThan(0);
    expect(CERTAINTIES).toEqual(expect.arrayContaining([...meaning.certainties]));
    expect(new Set(meaning.certainties).size).toBe(meaning.certainties.length);
  },
);
