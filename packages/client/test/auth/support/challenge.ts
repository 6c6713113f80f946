import type { OAuth } from '../../../src/auth/oauth.ts';
import type { OutgoingRequest } from '../../../src/index.ts';

/**
 * Sends a request to a URL in thought, with the token that there is, and is answered 401: `retry`
 * says that there is another token now.
 */
export async function challengeAt(
  url: URL,
  login: OAuth,
  said = 'Bearer',
): Promise<'retry' | 'fail'> {
  const attempt: OutgoingRequest = {
    method: 'POST',
    url,
    transport: 'streamable-http',
    attempt: 1,
    internal: false,
  };
  await login.headers(attempt);
  return login.onChallenge(401, { 'www-authenticate': said }, attempt);
}
