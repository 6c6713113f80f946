// The types of the SDK need those of Node.
/// <reference types="node" preserve="true" />
import { AsyncResource } from 'node:async_hooks';
import type { FetchLike, OAuthClientProvider } from '@modelcontextprotocol/client';
import type { Attempt, ChallengeVerdict } from '../channels/channel.js';
import { readChallenge, type Challenge } from './challenge.js';
import { ProviderFlows } from './flows.js';
import type { AuthorityOptions } from './flow-requests.js';

/** Options of {@link oauth}. */
export interface OAuthOptions {
  /**
   * The URL of the MCP server, to which its tokens are bound: a connection to another origin fails
   * before anything is sent. Default: the URL that was challenged, and the origin connected to first.
   * {@link OAuth.finish} needs it in a process that was not challenged itself, and a provider that
   * keeps its `discoveryState`.
   */
  url?: string | URL;
  /**
   * Asks the authorization server, and for the metadata of both. Default: the global `fetch`, with
   * connections that look at the addresses they go to (`allowPrivateAddresses`); by one of your own, or
   * with a global dispatcher of your own, only addresses in URLs are looked at.
   */
  fetch?: FetchLike;
  /**
   * How long a request to the authorization server may take, and one for metadata, in milliseconds:
   * all its tries together. It is tried up to four times where nobody can be reached or can answer
   * (408, 425, 429, 5xx). Past it the request that was challenged fails with code `unauthorized`, and
   * the tokens stay what they are. Default 20 000.
   */
  timeoutMs?: number;
  /**
   * A server that is reached from anywhere may have its metadata and its authorization server at a
   * private or link-local address. It can then make this machine send requests into your network.
   * Default false: nothing is sent there. A server at a private address may name private ones.
   */
  allowPrivateAddresses?: boolean;
  /**
   * An authorization server is trusted to protect codes by PKCE with S256 though its metadata does
   * not say so (`code_challenge_methods_supported`). If it does not, a code that is stolen on its way
   * can be used. Default false: nobody is led to such a server.
   */
  allowUnadvertisedPkce?: boolean;
}

const FLAGS = ['allowPrivateAddresses', 'allowUnadvertisedPkce'] as const;
const OPTIONS: readonly string[] = ['url', 'fetch', 'timeoutMs', ...FLAGS];
const DEFAULT_TIMEOUT_MS = 20_000;

/** Options of a connection that is authorized by OAuth. */
export interface AuthorizedConnectionOptions {
  /** Sends the provider's access token along. If you wrap it, pass on the very `attempt`. */
  headers: (attempt: Attempt) => Promise<Record<string, string>>;
  /** Answers a 401, and a 403 for lack of scope, with the SDK's OAuth flows. */
  auth: {
    onChallenge: (
      status: 401 | 403,
      headers: Readonly<Record<string, string | string[] | undefined>>,
      attempt: Attempt,
    ) => Promise<ChallengeVerdict>;
  };
}

/** OAuth for connections to one server. Made by {@link oauth}. */
export class OAuth {
  /** For `connect`, `createClient` and `createTransport`, alone or spread among others. */
  readonly options: AuthorizedConnectionOptions;

  readonly #flows: ProviderFlows;
  readonly #authority: AuthorityOptions;
  /** Where the provider is run: it holds one principal's tokens, whoever's call wants one. */
  readonly #scope = new AsyncResource('longwire.oauth');
  readonly #url: string | URL | undefined;
  /** The token that each attempt went out with. */
  readonly #sent = new WeakMap<Attempt, string>();
  #streamUrl: URL | undefined;

  /** Use {@link oauth}. */
  constructor(provider: OAuthClientProvider, settings: OAuthOptions) {
    checkOptions(settings);
    this.#flows = ProviderFlows.of(provider);
    this.#authority = {
      fetch: settings.fetch,
      timeoutMs: settings.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      allowPrivateAddresses: settings.allowPrivateAddresses ?? false,
      allowUnadvertisedPkce: settings.allowUnadvertisedPkce ?? false,
    };
    this.#url = settings.url;
    this.options = {
      headers: (attempt) => this.#scope.runInAsyncScope(() => this.#headersOf(attempt)),
      auth: {
        onChallenge: (status, headers, attempt) =>
          this.#scope.runInAsyncScope(() => this.#answer(status, readChallenge(headers), attempt)),
      },
    };
    if (settings.url !== undefined) this.#flows.bindTo(new URL(settings.url).origin);
  }

  /**
   * Ends an authorization with the parameters that came back to the provider's `redirectUrl`. If it
   * is called before the provider's `redirectToAuthorization` has resolved, the request that was
   * challenged goes on; else the next one finds the token. Checks `iss`, and `state` if the
   * authorization was begun here.
   *
   * @throws LongwireError `unauthorized`: it was refused, or is not what was begun; TypeError if the
   * server's URL is known neither from a challenge nor from the options.
   */
  finish(callback: URLSearchParams): Promise<void> {
    return this.#scope.runInAsyncScope(async () => {
      const url = this.#url ?? this.#flows.latestUrl;
      if (url === undefined) throw new TypeError('url: needed where no challenge has told of it');
      await this.#flows.finish(new URL(url), callback, this.#authority);
    });
  }

  async #headersOf(attempt: Attempt): Promise<Record<string, string>> {
    this.#flows.bindTo(attempt.url.origin);
    if (attempt.method === 'GET') this.#streamUrl = attempt.url;
    const tokens = await this.#flows.view.provider.tokens();
    if (tokens === undefined) return {};
    this.#sent.set(attempt, tokens.access_token);
    return { authorization: `Bearer ${tokens.access_token}` };
  }

  async #answer(
    status: 401 | 403,
    challenge: Challenge,
    attempt: Attempt,
  ): Promise<ChallengeVerdict> {
    this.#flows.bindTo(attempt.url.origin);
    const url = this.#resourceOf(attempt);
    const used = this.#sent.get(attempt);
    const challenged = { status, challenge, url, attempt: attempt.attempt, used };
    return this.#flows.answer(challenged, this.#authority);
  }

  /** What the token is to be for. Beside a stream of events, messages go to a URL that means nothing. */
  #resourceOf({ method, dialect, url }: Attempt): URL {
    const beside = method === 'POST' && dialect !== 'streamable-http' ? this.#streamUrl : undefined;
    const resource = new URL(this.#url ?? beside ?? url);
    if (this.#url === undefined) resource.search = '';
    return resource;
  }
}

/**
 * Makes the OAuth of connections to one server out of a provider of the SDK, which keeps the tokens
 * and leads people to the authorization server. However many requests are challenged at once, and
 * however often this is called for one provider, there is one flow.
 *
 * ```ts
 * const client = await connect(url, oauth(provider).options);
 * ```
 *
 * A provider holds the tokens of one principal for one server: it is run in the async context in
 * which this was called, whoever's call wants a token, and its tokens go to no other origin than that
 * of its server. A program that acts for many makes a client and a provider for each.
 *
 * For a program that acts for itself there are
 * `ClientCredentialsProvider`, `PrivateKeyJwtProvider` and others in `@modelcontextprotocol/client`.
 *
 * A provider with a `redirectUrl` is asked to lead somebody to the authorization server. If it waits
 * for the callback and hands it to {@link OAuth.finish} before it is done, the request that was
 * challenged goes on. If it does not wait, the request fails with code `unauthorized`, and those
 * after `finish` succeed.
 *
 * @throws TypeError for an option that is wrong, for a provider with `dpop`, which is not supported,
 * or whose tokens are for another origin than that of `url`.
 */
export function oauth(provider: OAuthClientProvider, options: OAuthOptions = {}): OAuth {
  if (provider.dpop !== undefined) throw new TypeError('provider.dpop: not supported');
  return new OAuth(provider, options);
}

function checkOptions(settings: OAuthOptions): void {
  for (const name of Object.keys(settings)) {
    if (OPTIONS.includes(name)) continue;
    throw new TypeError(`${name}: no such option; there are ${OPTIONS.join(', ')}`);
  }
  const { timeoutMs } = settings;
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0)) {
    throw new TypeError(`timeoutMs: ${String(timeoutMs)} is not a number above 0`);
  }
  for (const name of FLAGS) {
    if (['undefined', 'boolean'].includes(typeof settings[name])) continue;
    throw new TypeError(`${name}: neither true nor false`);
  }
}
