import {
  assertSecureTokenEndpoint,
  discoverOAuthServerInfo,
  selectClientAuthMethod,
  selectResourceURL,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
} from '@modelcontextprotocol/client';
import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  None,
  ResponseBodyError,
  type AuthorizationServer,
  type ClientAuth,
  type HttpRequestOptions,
} from 'oauth4webapi';
import { FlowRequests, type AuthorityOptions } from './flow-requests.js';

/** The authorization server of an MCP server, and how it is asked. */
export interface OpenAuthority {
  readonly issuer: string;
  readonly discovered: OAuthDiscoveryState;
  /** The resource that tokens are asked for, where the server says which. */
  readonly resource: string | undefined;
  readonly requests: FlowRequests;
}

/** Endpoints that the SDK has no function for. */
type Endpoint = 'device_authorization_endpoint' | 'revocation_endpoint';

/**
 * Finds the authorization server of an MCP server.
 *
 * @throws Error: there is none, it does not answer, or what it says cannot be used.
 */
export async function openAuthority(
  authority: AuthorityOptions,
  { url, resourceMetadataUrl }: { url: URL; resourceMetadataUrl?: URL | undefined },
): Promise<OpenAuthority> {
  const requests = new FlowRequests(authority, url, false);
  const info = await discoverOAuthServerInfo(url, {
    ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
    fetchFn: requests.fetch,
  });
  const metadata = info.authorizationServerMetadata;
  if (metadata === undefined) {
    throw requests.unavailable ?? new Error(`${url.host} names no authorization server`);
  }
  // Whether it is for this very server is checked here.
  const withoutOwn = {} as Parameters<typeof selectResourceURL>[1];
  const selected = await selectResourceURL(url, withoutOwn, info.resourceMetadata);
  const discovered: OAuthDiscoveryState = {
    ...info,
    ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl: resourceMetadataUrl.href }),
  };
  const resource = selected === undefined ? undefined : info.resourceMetadata?.resource;
  return { issuer: metadata.issuer, discovered, resource, requests };
}

/**
 * An endpoint of the server, if it has it.
 *
 * @throws Error for one to which secrets must not be sent.
 */
export function endpointOf({ discovered }: OpenAuthority, name: Endpoint): URL | undefined {
  const metadata: Record<string, unknown> = discovered.authorizationServerMetadata ?? {};
  const value = metadata[name];
  return typeof value === 'string' ? assertSecureTokenEndpoint(value) : undefined;
}

/** How `oauth4webapi` is to ask this server for this client. */
export function requestParts(
  { discovered, requests }: OpenAuthority,
  client: StoredOAuthClientInformation,
): {
  server: AuthorizationServer;
  clientAuth: ClientAuth;
  request: HttpRequestOptions<'POST', URLSearchParams>;
} {
  const metadata = discovered.authorizationServerMetadata;
  const methods = metadata?.token_endpoint_auth_methods_supported ?? [];
  return {
    server: metadata as AuthorizationServer,
    clientAuth: clientAuthOf(client, selectClientAuthMethod(client, methods)),
    request: {
      [customFetch]: (url, init) => requests.send(url, init),
      // Every endpoint was checked: https, or this machine.
      [allowInsecureRequests]: true,
    },
  };
}

function clientAuthOf(
  { client_secret: secret }: StoredOAuthClientInformation,
  method: ReturnType<typeof selectClientAuthMethod>,
): ClientAuth {
  if (secret === undefined || method === 'none') return None();
  return method === 'client_secret_basic' ? ClientSecretBasic(secret) : ClientSecretPost(secret);
}

/** The error of `oauth4webapi` with what the server said, which its message leaves out. */
export function withReason(error: unknown): unknown {
  if (!(error instanceof ResponseBodyError)) return error;
  const { error: code, error_description: description } = error;
  return new Error([code, description].filter(Boolean).join(': '), { cause: error });
}
