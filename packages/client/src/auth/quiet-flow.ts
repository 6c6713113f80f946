import { setTimeout as sleep } from 'node:timers/promises';
import {
  auth,
  type FetchLike,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
} from '@modelcontextprotocol/client';
import { nonHttpEndpoints } from './documents.js';
import { FlowRequests, type AuthorityOptions, type Remedy } from './flow-requests.js';
import { overlay } from './provider-view.js';

/** How long another process may take to store its new tokens. */
const STORING_MS = 300;

/** What the SDK's `auth` is called with. */
type FlowOptions = Omit<Parameters<typeof auth>[1], 'fetchFn'>;

/**
 * Runs the SDK's `auth`, and does itself what the SDK does after a refused token request. The SDK
 * writes such an error to the terminal, with any text of the server. So it gets another error that it
 * does not handle, and the real one stays here.
 *
 * @throws what `auth` throws; Error with the server's own reason, at most 500 characters of it;
 * AuthorityUnavailableError, without a change to the tokens.
 */
export async function authQuietly(
  provider: OAuthClientProvider,
  authority: AuthorityOptions,
  options: FlowOptions,
): Promise<'AUTHORIZED' | 'REDIRECT'> {
  const tried = new Set<Remedy>(['none']);
  let { forceReauthorization } = options;
  for (;;) {
    const requests = new FlowRequests(authority, options.serverUrl, isInteractive(provider));
    try {
      return await auth(withChecks(provider, authority, requests), {
        ...options,
        fetchFn: requests.fetch,
        ...(forceReauthorization !== undefined && { forceReauthorization }),
      });
    } catch (error) {
      const { tokenError } = requests;
      if (tokenError === undefined) throw error;
      const { remedy, refreshToken } = tokenError;
      if (tried.has(remedy)) throw tokenError.error;
      if (refreshToken !== undefined && (await isReplaced(provider, refreshToken))) {
        return 'AUTHORIZED';
      }
      tried.add(remedy);
      if (remedy === 'reauthorize') forceReauthorization = true;
      if (remedy === 'drop-client') await provider.invalidateCredentials?.('client');
      if (remedy !== 'reauthorize') await provider.invalidateCredentials?.('tokens');
    }
  }
}

/**
 * As `authQuietly`, for a flow that ends with a code. It runs once, because a code works only once. An
 * error says nothing about the stored tokens.
 *
 * @throws what `redeem` throws; Error with the server's own reason; AuthorityUnavailableError.
 */
export async function redeemQuietly(
  provider: OAuthClientProvider,
  authority: AuthorityOptions,
  url: URL,
  redeem: (provider: OAuthClientProvider, fetch: FetchLike) => Promise<void>,
): Promise<void> {
  const requests = new FlowRequests(authority, url, isInteractive(provider));
  try {
    await redeem(withChecks(provider, authority, requests), requests.fetch);
  } catch (error) {
    const { tokenError } = requests;
    if (tokenError === undefined) throw error;
    if (tokenError.remedy === 'drop-client') {
      await provider.invalidateCredentials?.('client');
      await provider.invalidateCredentials?.('tokens');
    }
    throw tokenError.error;
  }
}

/**
 * Whether another process with the same store has stored other tokens. Then it used a one-time refresh
 * token first, which is why the token was refused here; its new tokens are kept.
 */
async function isReplaced(provider: OAuthClientProvider, refreshToken: string): Promise<boolean> {
  for (const pauseMs of [0, STORING_MS]) {
    await sleep(pauseMs);
    const tokens = await provider.tokens();
    if (tokens === undefined) return false;
    if (tokens.refresh_token !== undefined && tokens.refresh_token !== refreshToken) return true;
  }
  return false;
}

/** A provider that throws for an authorization server that cannot be used. */
function withChecks(
  provider: OAuthClientProvider,
  { allowUnadvertisedPkce }: AuthorityOptions,
  requests: FlowRequests,
): OAuthClientProvider {
  const check = ({ authorizationServerMetadata: metadata }: OAuthDiscoveryState): void => {
    // The metadata may exist: the URLs that older servers use must not be guessed.
    if (metadata === undefined) {
      if (requests.unavailable !== undefined) throw requests.unavailable;
      return;
    }
    // What a program has stored may never have been checked.
    const [endpoint] = nonHttpEndpoints(metadata);
    if (endpoint !== undefined) {
      throw new Error(`${endpoint} of ${metadata.issuer} is no http or https URL`);
    }
    const methods = metadata.code_challenge_methods_supported;
    const isStated = methods === undefined ? allowUnadvertisedPkce : methods.includes('S256');
    // Without a browser there is no code to steal.
    if (isStated || !isInteractive(provider)) return;
    throw new Error(
      `the metadata of ${metadata.issuer} does not name S256 in code_challenge_methods_supported, so ` +
        'it may not protect codes (PKCE)' +
        (methods === undefined ? '; if you know that it does: `allowUnadvertisedPkce: true`' : ''),
    );
  };
  return overlay(provider, {
    async discoveryState() {
      const found = await provider.discoveryState?.();
      if (found !== undefined) check(found);
      return found;
    },
    async saveDiscoveryState(found) {
      check(found);
      await provider.saveDiscoveryState?.(found);
    },
  });
}

/** Whether a person authorizes in a browser. */
function isInteractive({ redirectUrl }: OAuthClientProvider): boolean {
  return redirectUrl !== undefined;
}
