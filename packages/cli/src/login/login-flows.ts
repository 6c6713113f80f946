import { oauth, type OAuth } from '@longwire/client/oauth';
import type { NetworkOptions } from '../network.js';
import type { FoundLogin, LoginStore } from './login-store.js';
import { StoredProvider, type StoredProviderHandlers } from './stored-provider.js';

/** What sends the token of a login that is kept, and renews it. */
export function loginFlows(
  store: LoginStore,
  login: FoundLogin,
  { network, ...handlers }: StoredProviderHandlers & { network: NetworkOptions },
): OAuth {
  const { by, url, scope } = login.facts;
  const provider = new StoredProvider(store, login, handlers);
  // A program asks for what it was given; a person's token is renewed with what it has.
  return oauth(provider, {
    url,
    ...network,
    ...(by === 'program' && scope !== undefined && { scope }),
    // No code is redeemed here.
    allowUnadvertisedPkce: true,
  });
}
