import { chooseServer } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { LoginNeededError } from './login-error.js';
import { resourceOf } from './login-record.js';
import type { FoundLogin, LoginStore } from './login-store.js';

/**
 * The login of the server that a word means. Nothing is sent.
 *
 * @throws LoginNeededError where there is none; LongwireError (usage) for a command.
 */
export async function meantLogin(
  context: Context,
  store: LoginStore,
  word: string | undefined,
): Promise<FoundLogin> {
  const { target } = await chooseServer(word, context);
  if (typeof target !== 'string') throw usageError('a command has no login');
  const found = store.meantBy(target);
  if (found !== undefined) return found;
  const server = resourceOf(target);
  throw new LoginNeededError(`there is no login for ${server}`, {
    target: server,
    certainty: 'not-sent',
  });
}
