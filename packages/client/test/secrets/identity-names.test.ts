import { expect, it } from 'vitest';
import { isCredentialName, isIdentityName } from '../../src/secrets/known-secrets.ts';

it.each(['authorization', 'x-api-key', 'DPoP', 'x-amzn-oidc-jwt'])('%s is a secret', (name) => {
  expect([isCredentialName(name), isIdentityName(name)]).toEqual([true, true]);
});

it.each([
  'x-remote-user',
  'x-forwarded-user',
  'x-forwarded-email',
  'X-Forwarded-Preferred-Username',
  'x-user-id',
  'remote_user',
  'x-remote-groups',
  'x-ms-client-principal-name',
  'x-forwarded-client-cert',
  'impersonate-user',
  'tailscale-user-login',
  'from',
])('%s says who asks, and is no secret', (name) => {
  expect([isCredentialName(name), isIdentityName(name)]).toEqual([false, true]);
});

it.each([
  'user-agent',
  'x-user-agent',
  'accept',
  'content-type',
  'x-request-id',
  'x-tenant',
  'x-author',
  'idempotency-key',
  'x-forwarded-for',
  'x-from-cache',
  'dpop-nonce',
])('%s says nothing of who asks', (name) => {
  expect([isCredentialName(name), isIdentityName(name)]).toEqual([false, false]);
});
