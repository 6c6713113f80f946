import { AsyncResource } from 'node:async_hooks';
import type { FetchLike, OAuthClientProvider } from '@modelcontextprotocol/client';
import { readChallenge, type Challenge } from './challenge.js';
import type { DeviceGrantOptions } from './device-grant.js';
import { asUnauthorized, ProviderFlows } from './flows.js';
import { resolveNetwork } from '../http/network.js';
import { quietly } from '../http/traffic-counts.js';
import type { WireObserver } from '../options/wire-event.js';
import type { AuthorityOptions } from './flow-requests.js';
import type { OutgoingRequest, ChallengeDecision } from '../options/channel-options.js';
import { TLS } from '../options/connection-table.js';
import type { ProxyOption, TlsOptions } from '../options/network-options.js';
import { checkOptions as checkOptionsByTable } from '../options/option.js';

export type { DeviceCode, DeviceGrantOptions } from './device-grant.js';

/** Options of {@link oauth}. */
export interface OAuthOptions {
  /**
   * The URL of the MCP server, to which its tokens are bound: a connection to another origin fails
   * before anything is sent. Default: the URL that was challenged, and the origin of the first
   * connection. {@link OAuth.finish} needs it in a process that was not challenged itself, together
   * with a provider that keeps its `discoveryState`.
   */
  url?: string | URL;
  /**
   * Sends the requests to the authorization server, and those for metadata. Default: the global
   * `fetch`, with connections that check their addresses (`allowPrivateAddresses`). With your own
   * `fetch`, your own global dispatcher, or a proxy, only addresses in URLs are checked.
   */
  fetch?: FetchLike;
  /**
   * The proxy through which those requests go, as the option `proxy` of a client. Not together with
   * `fetch`. Default: none.
   */
  proxy?: ProxyOption;
  /**
   * Certificates for those requests, as the option `tls` of a client. `cert` and `servername` are for the
   * origin of the MCP server, and no other. Not together with `fetch`. Default: what Node trusts.
   */
  tls?: TlsOptions;
  /**
   * How long a request to the authorization server, or for metadata, may take with all its tries, in
   * milliseconds. It is sent up to four times if no server can be reached or can answer (408, 425, 429,
   * 5xx). After that time the request that was challenged fails with code `unauthorized`, and the
   * tokens stay as they are. Default 20 000.
   */
  timeoutMs?: number;
  /**
   * Whether a public server may have its metadata and its authorization server at a private or
   * link-local address. It can then make this machine send requests into your network. Default false:
   * nothing is sent there. A server at a private address may always name private ones.
   */
  allowPrivateAddresses?: boolean;
  /**
   * Whether an authorization server is used that does not say in its metadata that it protects codes
   * by PKCE with S256 (`code_challenge_methods_supported`). If it does not, a stolen code can be used.
   * Default false: such a server is not used.
   */
  allowUnadvertisedPkce?: boolean;
  /**
   * The scopes to request, separated by spaces. Default: those that the challenge names, else those of
   * the server's metadata. A later 403 that names more is answered with these and those.
   */
  scope?: string;
  /**
   * Called with every HTTP exchange with the authorization server, and for metadata. What it throws is
   * ignored. Default: nobody.
   */
  observe?: WireObserver;
}

const FLAGS = ['allowPrivateAddresses', 'allowUnadvertisedPkce'] as const;
const OPTIONS: readonly string[] = [
  'url',
  'fetch',
  'proxy',
  'tls',
  'timeoutMs',
  'scope',
  'observe',
  ...FLAGS,
];
const DEFAULT_TIMEOUT_MS = 20_000;

/** OAuth for connections to one server: their option `auth`. Made by {@link oauth}. */
export class OAuth {
  /** Sends the provider's access token along. If you wrap it, pass on the very `request`. */
  readonly headers: (request: OutgoingRequest) => Promise<Record<string, string>>;
  /** Answers a 401, and a 403 for lack of scope, with the SDK's OAuth flows. */
  readonly onChallenge: (
    status: 401 | 403,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    request: OutgoingRequest,
  ) => Promise<ChallengeDecision>;

  readonly #flows: ProviderFlows;
  readonly #authority: AuthorityOptions;
  /** The context of the provider: it holds the tokens of one principal, whichever call needs one. */
  readonly #scope = new AsyncResource('longwire.oauth');
  readonly #url: string | URL | undefined;
  /** The token that was sent with each request. */
  readonly #sent = new WeakMap<OutgoingRequest, string>();
  #streamUrl: URL | undefined;

  /** Use {@link oauth}. */
  constructor(provider: OAuthClientProvider, settings: OAuthOptions) {
    checkOptions(settings);
    this.#flows = ProviderFlows.of(provider);
    this.#authority = authorityOf(settings);
    this.#url = settings.url;
    this.headers = (request) => this.#scope.runInAsyncScope(() => this.#headersOf(request));
    this.onChallenge = (status, headers, request) =>
      this.#scope.runInAsyncScope(() => this.#answer(status, readChallenge(headers), request));
    if (settings.url !== undefined) this.#flows.bindTo(new URL(settings.url).origin);
  }

  /**
   * Finishes an authorization with the parameters that came back to the provider's `redirectUrl`. If it
   * is called before the provider's `redirectToAuthorization` has resolved, the request that was
   * challenged is sent again; otherwise the next request uses the token. Checks `iss`, and `state` if
   * the authorization was started here.
   *
   * @throws LongwireError `unauthorized`: the code was refused, or the callback is of another
   * authorization; TypeError if the server's URL is known neither from a challenge nor from the options.
   */
  finish(callback: URLSearchParams): Promise<void> {
    return this.#scope.runInAsyncScope(async () => {
      const url = this.#url ?? this.#flows.latestUrl;
      if (url === undefined)
        throw new TypeError('url: needed, because nothing was challenged here');
      await this.#flows.finish(new URL(url), callback, this.#authority);
    });
  }

  /**
   * Asks for tokens by a code that a person enters on any device
   * (https://www.rfc-editor.org/rfc/rfc8628), and waits until it was entered. `headers` are those of a
   * 401, if there was one. A provider without a client is registered by its `clientMetadata`.
   *
   * @throws LongwireError `unauthorized`: the server has no such grant, the person refused, or the code
   * expired; what `signal` was aborted with; TypeError if the server's URL is not among the options.
   */
  authorizeDevice(
    options: DeviceGrantOptions & {
      headers?: Readonly<Record<string, string | string[] | undefined>>;
    },
  ): Promise<void> {
    return this.#scope.runInAsyncScope(async () => {
      const { headers = {}, signal } = options;
      const url = this.#ownUrl();
      const { grantByDevice } = await import('./device-grant.js');
      const { resourceMetadataUrl, scope } = readChallenge(headers);
      try {
        await grantByDevice(this.#flows.view.provider, this.#authority, {
          ...options,
          url,
          resourceMetadataUrl,
          scope: this.#authority.scope ?? scope,
        });
      } catch (error) {
        signal?.throwIfAborted();
        throw asUnauthorized(error);
      }
    });
  }

  /**
   * Revokes the provider's tokens at the issuer that gave them
   * (https://www.rfc-editor.org/rfc/rfc7009). The provider keeps them: forgetting is its own part.
   *
   * @returns whether the server revokes tokens.
   * @throws LongwireError `unauthorized`: they could not be revoked; TypeError if the server's URL is
   * not among the options.
   */
  revoke(): Promise<boolean> {
    return this.#scope.runInAsyncScope(async () => {
      const url = this.#ownUrl();
      const { revokeTokens } = await import('./revoke.js');
      try {
        return await revokeTokens(this.#flows.view.provider, this.#authority, url);
      } catch (error) {
        throw asUnauthorized(error);
      }
    });
  }

  #ownUrl(): URL {
    if (this.#url === undefined) throw new TypeError('url: needed, because nothing is challenged');
    return new URL(this.#url);
  }

  async #headersOf(request: OutgoingRequest): Promise<Record<string, string>> {
    this.#flows.bindTo(request.url.origin);
    if (request.method === 'GET') this.#streamUrl = request.url;
    const tokens = await this.#flows.view.provider.tokens();
    if (tokens === undefined) return {};
    this.#sent.set(request, tokens.access_token);
    return { authorization: `Bearer ${tokens.access_token}` };
  }

  async #answer(
    status: 401 | 403,
    challenge: Challenge,
    request: OutgoingRequest,
  ): Promise<ChallengeDecision> {
    this.#flows.bindTo(request.url.origin);
    const url = this.#resourceOf(request);
    const used = this.#sent.get(request);
    const challenged = { status, challenge, url, attempt: request.attempt, used };
    return this.#flows.answer(challenged, this.#authority);
  }

  /** The resource that the token is for. Beside an event stream, the URL of a POST is none, but the stream's is. */
  #resourceOf({ method, transport, url }: OutgoingRequest): URL {
    const streamUrl =
      method === 'POST' && transport !== 'streamable-http' ? this.#streamUrl : undefined;
    const resource = new URL(this.#url ?? streamUrl ?? url);
    if (this.#url === undefined) resource.search = '';
    return resource;
  }
}

/**
 * Authorizes connections to one server by OAuth. The provider of the SDK keeps the tokens and opens the
 * authorization server for a person. One provider has one flow at a time, however many requests are
 * challenged, and however often this is called for it.
 *
 * ```ts
 * const client = await connect(url, { auth: oauth(provider) });
 * ```
 *
 * A provider holds the tokens of one principal for one server. It runs in the async context in which
 * this was called, whichever call needs a token, and its tokens are sent to the origin of its server
 * alone. A program that acts for many principals makes a client and a provider for each.
 *
 * For a program that acts for itself there are
 * `ClientCredentialsProvider`, `PrivateKeyJwtProvider` and others in `@modelcontextprotocol/client`.
 *
 * A provider with a `redirectUrl` has to open the authorization server for a person. If it waits for
 * the callback and gives it to {@link OAuth.finish} before it returns, the request that was challenged
 * is sent again. If it does not wait, that request fails with code `unauthorized`, and those after
 * `finish` succeed.
 *
 * @throws TypeError for an option that is wrong, for a provider with `dpop`, which is not supported,
 * and for one whose tokens are for another origin than that of `url`.
 */
export function oauth(provider: OAuthClientProvider, options: OAuthOptions = {}): OAuth {
  if (provider.dpop !== undefined) throw new TypeError('provider.dpop: not supported');
  return new OAuth(provider, options);
}

/** Where a server sends whoever has no token. */
export interface OfferedLogin {
  issuer: string;
  /** Scopes that the challenge or the server's metadata name. */
  scopes: readonly string[];
  /** Whether a device code can be had. */
  hasDeviceGrant: boolean;
}

/**
 * What login a server offers: its authorization server, by its own metadata. `headers` are those of a
 * 401, if there was one.
 *
 * @returns `undefined` for a server that names none, or whose authorization server cannot be used.
 * @throws TypeError for an option that is wrong.
 */
export async function offeredLogin(
  url: string | URL,
  headers: Readonly<Record<string, string | string[] | undefined>> = {},
  options: OAuthOptions = {},
): Promise<OfferedLogin | undefined> {
  checkOptions(options);
  const { openAuthority } = await import('./open-authority.js');
  const { resourceMetadataUrl, scope } = readChallenge(headers);
  try {
    const opened = await openAuthority(authorityOf(options), {
      url: new URL(url),
      resourceMetadataUrl,
    });
    const { issuer, discovered } = opened;
    const { resourceMetadata, authorizationServerMetadata = {} } = discovered;
    return {
      issuer,
      scopes: scope?.split(' ').filter(Boolean) ?? resourceMetadata?.scopes_supported ?? [],
      hasDeviceGrant: 'device_authorization_endpoint' in authorizationServerMetadata,
    };
  } catch {
    return undefined;
  }
}

function authorityOf(settings: OAuthOptions): AuthorityOptions {
  return {
    fetch: settings.fetch,
    network: resolveNetwork(settings),
    timeoutMs: settings.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    allowPrivateAddresses: settings.allowPrivateAddresses ?? false,
    allowUnadvertisedPkce: settings.allowUnadvertisedPkce ?? false,
    scope: settings.scope,
    observe: quietly(settings.observe),
  };
}

function checkOptions(settings: OAuthOptions): void {
  for (const name of Object.keys(settings)) {
    if (OPTIONS.includes(name)) continue;
    throw new TypeError(`${name}: no such option; there are ${OPTIONS.join(', ')}`);
  }
  const { timeoutMs, fetch: given, proxy, tls } = settings;
  if (given !== undefined && (proxy ?? tls) !== undefined) {
    throw new TypeError('fetch: not together with proxy or tls: it opens the connections itself');
  }
  checkOptionsByTable(tls, TLS, 'tls');
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0)) {
    throw new TypeError(`timeoutMs: ${String(timeoutMs)} is not a number above 0`);
  }
  const { scope } = settings;
  if (scope !== undefined && (typeof scope !== 'string' || scope.trim() === '')) {
    throw new TypeError('scope: not scopes separated by spaces');
  }
  for (const name of FLAGS) {
    if (['undefined', 'boolean'].includes(typeof settings[name])) continue;
    throw new TypeError(`${name}: neither true nor false`);
  }
}
