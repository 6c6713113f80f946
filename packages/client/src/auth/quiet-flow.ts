import { setTimeout as sleep } from 'node:timers/promises';
import {
  auth,
  type FetchLike,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
} from '@modelcontextprotocol/client';
import { strangeEndpoints } from './documents.js';
import { FlowRequests, type AuthorityOptions, type Remedy } from './flow-requests.js';
import { overlay } from './provider-view.js';

/** How long another process may take to store the tokens that it was given. */
const STORING_MS = 300;

/** What the SDK's `auth` is asked with. */
type FlowOptions = Omit<Parameters<typeof auth>[1], 'fetchFn'>;

/**
 * Runs the SDK's `auth`, and does itself what that does after a refused token request. The SDK
 * writes such refusals to the terminal, with whatever the server has put into them: it is told of
 * an error of which it makes nothing, and what really came stays here.
 *
 * @throws what `auth` throws; Error with the server's own reason, at most 500 characters of it;
 * AuthorityAwayError, and the tokens are what they were.
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
      const { refusal } = requests;
      if (refusal === undefined) throw error;
      const { remedy, refreshToken } = refusal;
      if (tried.has(remedy)) throw refusal.error;
      if (refreshToken !== undefined && (await isReplaced(provider, refreshToken))) {
        return 'AUTHORIZED';
      }
      tried.add(remedy);
      if (remedy === 'ask-anew') forceReauthorization = true;
      if (remedy === 'forget-client') await provider.invalidateCredentials?.('client');
      if (remedy !== 'ask-anew') await provider.invalidateCredentials?.('tokens');
    }
  }
}

/**
 * As `authQuietly`, of a flow that ends with a code. It is tried once, because a code does not work
 * twice; that it does not work says nothing of the tokens that there are.
 *
 * @throws what `redeem` throws; Error with the server's own reason; AuthorityAwayError.
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
    const { refusal } = requests;
    if (refusal === undefined) throw error;
    if (refusal.remedy === 'forget-client') {
      await provider.invalidateCredentials?.('client');
      await provider.invalidateCredentials?.('tokens');
    }
    throw refusal.error;
  }
}

/**
 * Whether somebody else who has the same store has put other tokens there: a refresh token that is
 * good for once was refused because they were first, and what they got is not thrown away.
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

/** A provider that goes no further with an authorization server that cannot be used. */
function withChecks(
  provider: OAuthClientProvider,
  { allowUnadvertisedPkce }: AuthorityOptions,
  requests: FlowRequests,
): OAuthClientProvider {
  const check = ({ authorizationServerMetadata: metadata }: OAuthDiscoveryState): void => {
    // Nobody has said that there is none, so the places where older servers have theirs are no guess.
    if (metadata === undefined) {
      if (requests.away !== undefined) throw requests.away;
      return;
    }
    // What a program has stored was not always looked at.
    const [strange] = strangeEndpoints(metadata);
    if (strange !== undefined) {
      throw new Error(`${strange} of ${metadata.issuer} is no http or https URL`);
    }
    const methods = metadata.code_challenge_methods_supported;
    const isStated = methods === undefined ? allowUnadvertisedPkce : methods.includes('S256');
    // Without a browser there is no code that somebody could steal.
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

/** Whether somebody is led to the authorization server. */
function isInteractive({ redirectUrl }: OAuthClientProvider): boolean {
  return redirectUrl !== undefined;
}
