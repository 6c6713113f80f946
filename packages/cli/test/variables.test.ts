import { describe, expect, it } from 'vitest';
import { parseVariables } from '../src/variables.ts';

const env = { SET: 'from here', EMPTY: '' };

describe('--env', () => {
  it('has a value, or takes it from the environment', () => {
    expect(parseVariables(['A=b=c', 'B=', 'SET', 'EMPTY', 'C=1\n2'], env)).toEqual({
      A: 'b=c',
      B: '',
      SET: 'from here',
      EMPTY: '',
      C: '1\n2',
    });
  });

  it('of one name is the last', () => {
    expect(parseVariables(['SET', 'SET=mine', 'A=1', 'A=2'], env)).toEqual({ SET: 'mine', A: '2' });
  });

  it('that is not set is an error', () => {
    expect(() => parseVariables(['UNSET'], env)).toThrow(/^--env UNSET: that is not set; it wants/);
  });

  it.each(['=s3cret', '', 'a s3cret', 's3cret/that+was-pasted'])(
    'repeats nothing of %j, which is no variable',
    (word) => {
      expect(() => parseVariables([word], env)).toThrow(/^--env/);
      expect(() => parseVariables([word], env)).not.toThrow(/s3cret/);
    },
  );
});
