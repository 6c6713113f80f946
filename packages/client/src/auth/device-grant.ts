import { setTimeout as sleep } from 'node:timers/promises';
import {
  registerClient,
  resolveClientMetadata,
  type OAuthClientProvider,
  type StoredOAuthClientInformation,
} from '@modelcontextprotocol/client';
import {
  deviceAuthorizationRequest,
  deviceCodeGrantRequest,
  processDeviceAuthorizationResponse,
  processDeviceCodeResponse,
  ResponseBodyError,
  type DeviceAuthorizationResponse,
  type TokenEndpointResponse,
} from 'oauth4webapi';
import { AuthorityUnavailableError } from './authority-fetch.js';
import {
  endpointOf,
  openAuthority,
  requestParts,
  withReason,
  type OpenAuthority,
} from './open-authority.js';
import type { AuthorityOptions } from './flow-requests.js';
import { isWeb } from './documents.js';

/** What a person is shown: a code, and where to enter it. */
export interface DeviceCode {
  userCode: string;
  /** An http or https URL. */
  verificationUrl: string;
  /** The same with the code in it, if the server has one. */
  completeUrl?: string;
  expiresInMs: number;
}

/** How a device grant is asked for. */
export interface DeviceGrantOptions {
  /** Shows the code; nobody is asked before. */
  onCode: (code: DeviceCode) => void;
  /** Ends the wait. */
  signal?: AbortSignal;
}

/** What the specification says where the server says nothing, and what `slow_down` adds. */
const INTERVAL_SECONDS = 5;
/** The longest wait between two questions. */
const MAX_INTERVAL_SECONDS = 60;
/** A code may not keep a program waiting for longer. */
const MAX_EXPIRY_SECONDS = 30 * 60;

/**
 * The device grant of https://www.rfc-editor.org/rfc/rfc8628: a person enters a code on any device, and
 * the tokens are saved. The provider is registered if it has no client yet.
 *
 * @throws Error that says why: no such endpoint, refused, expired; what `signal` was aborted with.
 */
export async function grantByDevice(
  provider: OAuthClientProvider,
  authority: AuthorityOptions,
  options: DeviceGrantOptions & {
    url: URL;
    resourceMetadataUrl?: URL | undefined;
    scope?: string | undefined;
  },
): Promise<void> {
  const { signal, onCode } = options;
  const opened = await openAuthority(authority, options);
  const endpoint = endpointOf(opened, 'device_authorization_endpoint');
  if (endpoint === undefined) throw new Error(`${opened.issuer} offers no login by a device code`);
  await provider.saveDiscoveryState?.(opened.discovered);
  const scope = scopeOf(provider, opened, options.scope);
  const client = await clientOf(provider, opened, scope);
  const { server, clientAuth, request } = requestParts(opened, client);
  const parameters = {
    ...(scope !== undefined && { scope }),
    ...(opened.resource !== undefined && { resource: opened.resource }),
    // OpenID Connect gives `offline_access` to those alone who were asked.
    ...(scope?.split(' ').includes('offline_access') && { prompt: 'consent' }),
  };
  const asked = await deviceAuthorizationRequest(server, client, clientAuth, parameters, request);
  const given = await processDeviceAuthorizationResponse(server, client, asked).catch((error) => {
    throw withReason(error);
  });
  onCode(deviceCodeOf(given, opened.issuer));
  const expiresIn = Math.min(given.expires_in, MAX_EXPIRY_SECONDS);
  const endsAt = performance.now() + expiresIn * 1000;
  let seconds = given.interval ?? INTERVAL_SECONDS;
  for (;;) {
    await sleep(Math.min(seconds, MAX_INTERVAL_SECONDS) * 1000, undefined, { signal });
    if (performance.now() > endsAt) throw new Error('the code expired before it was entered');
    const tokens = await askForTokens(given.device_code, client, opened);
    if (tokens === 'slow_down') seconds += INTERVAL_SECONDS;
    else if (tokens !== 'pending') {
      const { issuer } = opened;
      await provider.saveTokens({ ...tokens, issuer }, { issuer });
      return;
    }
  }
}

async function askForTokens(
  code: string,
  client: StoredOAuthClientInformation,
  opened: OpenAuthority,
): Promise<TokenEndpointResponse | 'pending' | 'slow_down'> {
  const { server, clientAuth, request } = requestParts(opened, client);
  const additionalParameters = new URLSearchParams(
    opened.resource === undefined ? {} : { resource: opened.resource },
  );
  try {
    const options = { ...request, additionalParameters };
    const answer = await deviceCodeGrantRequest(server, client, clientAuth, code, options);
    return await processDeviceCodeResponse(server, client, answer);
  } catch (error) {
    // No answer says nothing of the code.
    if (error instanceof AuthorityUnavailableError) return 'slow_down';
    if (!(error instanceof ResponseBodyError)) throw error;
    if (error.error === 'authorization_pending') return 'pending';
    if (error.error === 'slow_down') return 'slow_down';
    if (error.error === 'expired_token') throw new Error('the code expired before it was entered');
    throw withReason(error);
  }
}

/** @throws Error for an address that no browser should open. */
function deviceCodeOf(given: DeviceAuthorizationResponse, issuer: string): DeviceCode {
  const { user_code, verification_uri, verification_uri_complete: complete, expires_in } = given;
  if (!isWeb(verification_uri) || !isWeb(complete)) {
    throw new Error(`${issuer} names an address for its code that is no http or https URL`);
  }
  return {
    userCode: user_code,
    verificationUrl: verification_uri,
    ...(complete !== undefined && { completeUrl: complete }),
    expiresInMs: Math.min(expires_in, MAX_EXPIRY_SECONDS) * 1000,
  };
}

/** The scope as the SDK chooses it for a browser. */
function scopeOf(
  provider: OAuthClientProvider,
  { discovered }: OpenAuthority,
  asked: string | undefined,
): string | undefined {
  const { resourceMetadata, authorizationServerMetadata: metadata } = discovered;
  const scope =
    asked || resourceMetadata?.scopes_supported?.join(' ') || provider.clientMetadata.scope;
  const offline = 'offline_access';
  const mayStay = metadata?.scopes_supported?.includes(offline) === true;
  if (!scope || !mayStay || scope.split(' ').includes(offline)) return scope || undefined;
  return `${scope} ${offline}`;
}

async function clientOf(
  provider: OAuthClientProvider,
  { issuer, discovered, requests }: OpenAuthority,
  scope: string | undefined,
): Promise<StoredOAuthClientInformation> {
  const known = await provider.clientInformation({ issuer });
  if (known !== undefined && (known.issuer ?? issuer) === issuer) return { ...known, issuer };
  const { authorizationServerMetadata: metadata, authorizationServerUrl } = discovered;
  const url = provider.clientMetadataUrl;
  const takesUrls = metadata?.client_id_metadata_document_supported === true;
  const client =
    url !== undefined && takesUrls
      ? { client_id: url }
      : await registerClient(authorizationServerUrl, {
          ...(metadata !== undefined && { metadata }),
          ...(scope !== undefined && { scope }),
          clientMetadata: resolveClientMetadata(provider),
          fetchFn: requests.fetch,
        });
  const stored = { ...client, issuer };
  await provider.saveClientInformation?.(stored, { issuer });
  return stored;
}
