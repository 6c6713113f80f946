import type { ClientOptions } from '@longwire/client';
import type { Context } from '../context.js';
import type { NetworkOptions } from '../network.js';
import { hasLogins } from './login-directory.js';
import type { TargetLogin } from './target-login.js';

/** What answers for authentication at a server. */
export type TargetAuth = NonNullable<ClientOptions['auth']>;

/**
 * Sends the token of the login that there is for a server, and says where to log in if it wants one.
 * Nothing is loaded and no file is read as long as nobody has logged in anywhere.
 */
export function targetAuth(
  context: Context,
  target: string,
  network: NetworkOptions,
): Required<TargetAuth> {
  let opened: Promise<TargetLogin> | undefined;
  const open = (): Promise<TargetLogin> =>
    (opened ??= import('./target-login.js').then(({ TargetLogin: Login }) => {
      return new Login(context, target, network);
    }));
  return {
    headers: async (request) => {
      if (opened === undefined && !hasLogins(context.env)) return {};
      return await (await open()).headers(request);
    },
    onChallenge: async (status, headers, request) =>
      await (await open()).answer(status, headers, request),
  };
}
