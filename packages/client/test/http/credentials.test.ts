import { describe, expect, it } from 'vitest';
import { Credentials, credentialSource } from '../../src/http/credentials.ts';
import type { HeaderSource } from '../../src/http/headers.ts';
import type { PrincipalCredentials } from '../../src/options/principal-options.ts';

const client = {
  authorization: 'Bearer service',
  dpop: 'proof',
  'x-remote-user': 'service',
  'x-app': 'shop',
};

async function headersFor(given: PrincipalCredentials, service: HeaderSource): Promise<unknown> {
  const credentials = new Credentials(given);
  const source = credentialSource({ credentials, service, plain: service });
  return typeof source === 'function' ? await source(() => ({}) as never) : source;
}

describe.each<[string, HeaderSource]>([
  ['a record', client],
  ['a function', () => client],
])('headers of the client that are %s', (_name, service) => {
  it('go without any that says who asks beside credentials of a principal', async () => {
    expect(await headersFor({ token: 'ann' }, service)).toEqual({
      authorization: 'Bearer ann',
      'x-app': 'shop',
    });
    expect(await headersFor({ token: () => 'ann' }, service)).toEqual({
      authorization: 'Bearer ann',
      'x-app': 'shop',
    });
  });

  it('go with credentials, and without another user, beside the name of a principal', async () => {
    expect(await headersFor({ headers: { 'x-forwarded-user': 'ann' } }, service)).toEqual({
      authorization: 'Bearer service',
      dpop: 'proof',
      'x-app': 'shop',
      'x-forwarded-user': 'ann',
    });
  });

  it('go as they are beside headers that say nothing of who asks', async () => {
    expect(await headersFor({ headers: { 'x-tenant': 'a' } }, service)).toEqual({
      ...client,
      'x-tenant': 'a',
    });
  });
});
