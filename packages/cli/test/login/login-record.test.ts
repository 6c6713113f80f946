import { expect, it } from 'vitest';
import { withTokens, type Login } from '../../src/login/login-record.ts';
import { loginDocument } from '../../src/login/shown-login.ts';

const login: Login = {
  resource: 'https://mcp.example.com',
  url: 'https://mcp.example.com',
  target: 'https://mcp.example.com',
  issuer: 'https://issuer.example.com',
  by: 'person',
  isRenewable: false,
  hasEnded: false,
  secrets: { client: { client_id: 'some' } },
};

it.each([1e300, Infinity, 1e14])('can be shown, also where it lasts for %d seconds', (seconds) => {
  const tokens = { access_token: 'a', token_type: 'Bearer', expires_in: seconds };
  const facts = withTokens(login, tokens);
  const document = loginDocument({ facts, file: 'login.json', inKeychain: false });
  expect(document.state).toBe('valid');
  expect(Date.parse(document.expiresAt ?? '')).toBeGreaterThan(Date.now());
});

it.each([0, -5, NaN])('says no time where the issuer says %d', (seconds) => {
  const tokens = { access_token: 'a', token_type: 'Bearer', expires_in: seconds };
  expect(withTokens(login, tokens).expiresAt).toBeUndefined();
});
