import type { OAuthClientProvider, OAuthDiscoveryState } from '@modelcontextprotocol/client';

/** A provider as the SDK's flows see it, and what is remembered about it. */
export interface ProviderView {
  readonly provider: OAuthClientProvider;
  /** The `state` of the latest authorization, if it has one. */
  readonly state: string | undefined;
  /** The next flow discovers the authorization server again. */
  forgetDiscovery(): Promise<void>;
}

/**
 * Wraps a provider and remembers what was discovered. So a code is redeemed at the authorization server
 * that issued it, without a second discovery, even if the provider keeps no such state.
 */
export function viewProvider(original: OAuthClientProvider): ProviderView {
  let discovered: OAuthDiscoveryState | undefined;
  let isInvalidated = false;
  let state: string | undefined;
  /** The issuer of each stored client without one, from its first use on. */
  const issuers = new Map<string, string>();
  /** The issuer of the latest tokens. */
  let latest: { refreshToken: string | undefined; issuer: string } | undefined;

  const own: Partial<OAuthClientProvider> = {
    async discoveryState() {
      if (original.discoveryState === undefined) return discovered;
      return isInvalidated ? undefined : original.discoveryState();
    },
    async saveDiscoveryState(found) {
      discovered = found;
      isInvalidated = false;
      await original.saveDiscoveryState?.(found);
    },
    // Tokens and clients that are stored without an issuer belong to the issuer of their first use, even
    // if the store does not keep what is written here. Otherwise the SDK writes a warning to the
    // terminal where nothing can be stored.
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
      isInvalidated = true;
      await original.invalidateCredentials?.('discovery');
    },
  };
}

/** A provider with some of its methods replaced. */
export function overlay(
  original: OAuthClientProvider,
  own: Partial<OAuthClientProvider>,
): OAuthClientProvider {
  // No copy and no object that inherits: a provider may be a class with private fields, and the SDK
  // checks which of the optional methods exist.
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
