import type { OAuthClientProvider, OAuthDiscoveryState } from '@modelcontextprotocol/client';

/** A provider as the SDK's flows see it here, and what is known of it beside that. */
export interface ProviderView {
  readonly provider: OAuthClientProvider;
  /** The `state` of the authorization that was begun last, if it has one. */
  readonly state: string | undefined;
  /** The next flow finds the authorization server out anew. */
  forgetDiscovery(): Promise<void>;
}

/**
 * Looks at a provider with a memory of its own for what was discovered: a code is then redeemed
 * where it was asked for, without a second discovery, also if the provider keeps no such state.
 */
export function viewProvider(original: OAuthClientProvider): ProviderView {
  let discovered: OAuthDiscoveryState | undefined;
  let forgotten = false;
  let state: string | undefined;
  /** Whose the clients are that do not say it, from their first use. */
  const issuers = new Map<string, string>();
  /** Whose the tokens are that came last. */
  let latest: { refreshToken: string | undefined; issuer: string } | undefined;

  const own: Partial<OAuthClientProvider> = {
    async discoveryState() {
      if (original.discoveryState === undefined) return discovered;
      return forgotten ? undefined : original.discoveryState();
    },
    async saveDiscoveryState(found) {
      discovered = found;
      forgotten = false;
      await original.saveDiscoveryState?.(found);
    },
    // What is stored without saying whose it is belongs, from its first use on, to who asks for it,
    // also if the store does not keep what is written to it here. The SDK has it otherwise where
    // nothing can be stored, and writes so to the terminal.
    async tokens(context) {
      const stored = await original.tokens(context);
      if (stored === undefined || context === undefined || isStamped(stored)) return stored;
      if (latest?.refreshToken !== stored.refresh_token) {
        latest = { refreshToken: stored.refresh_token, issuer: context.issuer };
      }
      const stamped = { ...stored, issuer: latest?.issuer ?? context.issuer };
      await original.saveTokens(stamped, context);
      return stamped;
    },
    async saveTokens(tokens, context) {
      const issuer = tokens.issuer ?? context?.issuer;
      latest = issuer === undefined ? undefined : { refreshToken: tokens.refresh_token, issuer };
      await original.saveTokens(tokens, context);
    },
    async clientInformation(context) {
      const stored = await original.clientInformation(context);
      if (stored === undefined || context === undefined || isStamped(stored)) return stored;
      const { client_id: id, client_secret: secret } = stored;
      const mayBeStored = original.saveClientInformation !== undefined;
      const isSecret = secret !== undefined || original.addClientAuthentication !== undefined;
      if (!mayBeStored && !isSecret) return stored;
      const issuer = issuers.get(id) ?? context.issuer;
      issuers.set(id, issuer);
      const stamped = { ...stored, issuer };
      await original.saveClientInformation?.(stamped, context);
      return stamped;
    },
    async redirectToAuthorization(url) {
      state = url.searchParams.get('state') ?? undefined;
      await original.redirectToAuthorization(url);
    },
  };

  const provider = overlay(original, own);

  return {
    provider,
    get state() {
      return state;
    },
    async forgetDiscovery() {
      discovered = undefined;
      forgotten = true;
      await original.invalidateCredentials?.('discovery');
    },
  };
}

/** A provider with some of its methods replaced. */
export function overlay(
  original: OAuthClientProvider,
  own: Partial<OAuthClientProvider>,
): OAuthClientProvider {
  // Not a copy, and no object that inherits from it: a provider may be a class with private fields,
  // and which of its optional methods there are means something to the SDK.
  return new Proxy(original, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key as keyof OAuthClientProvider];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function isStamped({ issuer }: { issuer?: unknown }): boolean {
  return typeof issuer === 'string';
}
