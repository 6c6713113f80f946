import { chooseServer } from '../choose-servers.js';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import type { Server } from '../target.js';
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
): Promise<{ login: FoundLogin; server: Server }> {
  const server = await chooseServer(word, context);
  const { target } = server;
  if (typeof target !== 'string') throw usageError('a command has no login');
  const login = store.meantBy(target);
  if (login !== undefined) return { login, server };
  const resource = resourceOf(target);
  throw new LoginNeededError(`there is no login for ${resource}`, {
    target: resource,
    certainty: 'not-sent',
  });
}
