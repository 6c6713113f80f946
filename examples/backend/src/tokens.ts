import type { Token, TokenContext } from '@longwire/client/middleware';

/**
 * Gets a token of a user for the servers, from the authorization server.
 *
 * @throws Error when there is none.
 */
export async function tokenFor({ principal, signal }: TokenContext): Promise<Token> {
  if (principal === undefined) throw new Error('this program calls servers for its users alone');
  const response = await fetch(setting('ISSUER_URL'), {
    method: 'POST',
    body: new URLSearchParams({ subject: principal }),
    signal,
  });
  if (!response.ok) throw new Error(`the issuer answered ${response.status}`);
  const { access_token: token, expires_in: seconds } = (await response.json()) as {
    access_token: string;
    expires_in: number;
  };
  return { token, expiresInMs: seconds * 1000 };
}

/** @throws Error that names the variable of the environment that is missing. */
export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}
