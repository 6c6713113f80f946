import { describe, expect, it } from 'vitest';
import { readChallenge } from '../../src/auth/challenge.ts';

const bearer =
  'Bearer error="insufficient_scope", scope="a b", resource_metadata="http://127.0.0.1/metadata"';

describe('a challenge', () => {
  it('names the scope and the metadata', () => {
    expect(readChallenge({ 'www-authenticate': bearer })).toMatchObject({
      error: 'insufficient_scope',
      scope: 'a b',
      resourceMetadataUrl: new URL('http://127.0.0.1/metadata'),
    });
  });

  it('is found after other schemes', () => {
    const headers = { 'www-authenticate': ['Basic realm="x"', bearer] };
    expect(readChallenge(headers)).toMatchObject({ scope: 'a b' });
  });

  it.each([
    `Basic realm="x", ${bearer}`,
    `Negotiate, ${bearer}`,
    bearer.replace('Bearer', 'bearer'),
  ])('is found after other schemes in one header: %s', (value) => {
    expect(readChallenge({ 'www-authenticate': value })).toMatchObject({
      scope: 'a b',
      resourceMetadataUrl: new URL('http://127.0.0.1/metadata'),
    });
  });

  it.each([{}, { 'www-authenticate': 'Basic realm="x"' }, { 'www-authenticate': 'Bearer' }])(
    'says nothing in %j',
    (headers) => {
      expect(readChallenge(headers)).toEqual({});
    },
  );
});
