import type { OAuth } from '../../../src/auth/oauth.ts';
import type { Attempt } from '../../../src/index.ts';

/**
 * Sends a request to a URL in thought, with the token that there is, and is answered 401: `retry`
 * says that there is another token now.
 */
export async function challengeAt(
  url: URL,
  { options }: OAuth,
  said = 'Bearer',
): Promise<'retry' | 'fail'> {
  const attempt: Attempt = {
    method: 'POST',
    url,
    dialect: 'streamable-http',
    attempt: 1,
    internal: false,
  };
  await options.headers(attempt);
  return options.auth.onChallenge(401, { 'www-authenticate': said }, attempt);
}
