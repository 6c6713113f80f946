// The types of the SDK need those of Node.
/// <reference types="node" preserve="true" />
import { AsyncResource } from 'node:async_hooks';
import {
  computeScopeUnion,
  isStrictScopeSuperset,
  StreamableHTTPClientTransport,
  type FetchLike,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client';
import type { Attempt, ChallengeVerdict } from '../channels/channel.js';
import { LongwireError } from '../errors.js';
import { readChallenge, type Challenge } from './challenge.js';
import { viewProvider, type ProviderView } from './provider-view.js';
import { authQuietly, redeemQuietly } from './quiet-flow.js';

/** Options of {@link oauth}. */
export interface OAuthOptions {
  /**
   * The URL of the MCP server, to which its tokens are bound: a connection to another origin fails
   * before anything is sent. Default: the URL that was challenged, and the origin connected to first.
   * {@link OAuth.finish} needs it in a process that was not challenged itself, and a provider that
   * keeps its `discoveryState`.
   */
  url?: string | URL;
  /** Asks the authorization server, and for the metadata of both. Default: the global `fetch`. */
  fetch?: FetchLike;
}

/** How a request is to be authorized, and where. */
interface Flow {
  url: URL;
  resourceMetadataUrl: URL | undefined;
  scope: string | undefined;
  /** Not by a refresh token, which cannot bring what the last token did not have. */
  anew: boolean;
}

/** A challenge that is being answered. */
interface Running {
  /** Challenges that say the same share the answer. */
  key: string;
  verdict: Promise<ChallengeVerdict>;
}

/** For which origin the tokens of a provider are, whichever `oauth` it was given to. */
const originOf = new WeakMap<OAuthClientProvider, string>();

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

  readonly #provider: OAuthClientProvider;
  readonly #view: ProviderView;
  /** Where the provider is run: it holds one principal's tokens, whoever's call wants one. */
  readonly #scope = new AsyncResource('longwire.oauth');
  readonly #settings: OAuthOptions;
  /** The token that each attempt went out with. */
  readonly #sent = new WeakMap<Attempt, string>();
  #running: Running | undefined;
  /** The flow that was begun last. */
  #flow: Flow | undefined;
  /** What the tokens so far were asked for with; the server may have granted less. */
  #askedScope: string | undefined;
  /** The token that a refresh brought last, without anybody being asked. */
  #refreshed: string | undefined;
  #finished = 0;
  #finishedState: string | undefined;
  #streamUrl: URL | undefined;

  /** Use {@link oauth}. */
  constructor(provider: OAuthClientProvider, settings: OAuthOptions) {
    for (const name of Object.keys(settings)) {
      if (name === 'url' || name === 'fetch') continue;
      throw new TypeError(`${name}: no such option; there are url, fetch`);
    }
    this.#provider = provider;
    this.#view = viewProvider(provider);
    this.#settings = settings;
    this.options = {
      headers: (attempt) => this.#scope.runInAsyncScope(() => this.#headersOf(attempt)),
      auth: {
        onChallenge: (status, headers, attempt) =>
          this.#scope.runInAsyncScope(() => this.#answer(status, readChallenge(headers), attempt)),
      },
    };
    if (settings.url !== undefined) this.#bindTo(new URL(settings.url).origin);
  }

  /** @throws TypeError if the provider's tokens are for another origin. */
  #bindTo(origin: string): void {
    const bound = originOf.get(this.#provider) ?? origin;
    originOf.set(this.#provider, bound);
    if (bound === origin) return;
    throw new TypeError(
      `the tokens of this OAuth provider are for ${bound}, and are never sent to ${origin}: ` +
        'give each server a provider of its own',
    );
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
    return this.#scope.runInAsyncScope(() => this.#finish(callback));
  }

  async #finish(callback: URLSearchParams): Promise<void> {
    const url = this.#settings.url ?? this.#flow?.url;
    if (url === undefined) throw new TypeError('url: needed where no challenge has told of it');
    const { provider, state } = this.#view;
    if (state !== undefined && callback.get('state') !== state) {
      throw unauthorized('the callback belongs to no authorization that was begun here');
    }
    // The SDK would throw the tokens away because a code does not work twice.
    if (state !== undefined && state === this.#finishedState) {
      throw unauthorized('the callback was handed over before');
    }
    try {
      await redeemQuietly(provider, this.#settings.fetch, (fetch) => {
        // The SDK checks a callback in its transports only.
        const options = { authProvider: provider, fetch };
        return new StreamableHTTPClientTransport(new URL(url), options).finishAuth(callback);
      });
    } catch (error) {
      throw asUnauthorized(error);
    }
    this.#finished++;
    this.#finishedState = state;
    this.#askedScope = this.#flow?.scope;
  }

  async #headersOf(attempt: Attempt): Promise<Record<string, string>> {
    this.#bindTo(attempt.url.origin);
    if (attempt.method === 'GET') this.#streamUrl = attempt.url;
    const tokens = await this.#view.provider.tokens();
    if (tokens === undefined) return {};
    this.#sent.set(attempt, tokens.access_token);
    return { authorization: `Bearer ${tokens.access_token}` };
  }

  async #answer(
    status: 401 | 403,
    challenge: Challenge,
    attempt: Attempt,
  ): Promise<ChallengeVerdict> {
    this.#bindTo(attempt.url.origin);
    const url = this.#resourceOf(attempt);
    const key = [status, url.href, challenge.scope, challenge.resourceMetadataUrl].join(' ');
    if (this.#running?.key === key) return this.#running.verdict;
    const before = this.#running?.verdict.catch(() => undefined);
    const running: Running = {
      key,
      verdict: Promise.resolve(before)
        .then(() => this.#authorize(status, challenge, { attempt, url }))
        .finally(() => {
          if (this.#running === running) this.#running = undefined;
        }),
    };
    this.#running = running;
    return running.verdict;
  }

  async #authorize(
    status: 401 | 403,
    challenge: Challenge,
    { attempt, url }: { attempt: Attempt; url: URL },
  ): Promise<ChallengeVerdict> {
    const tokens = await this.#view.provider.tokens();
    const used = this.#sent.get(attempt);
    // Somebody else's flow has brought another one meanwhile.
    if (tokens !== undefined && tokens.access_token !== used) return 'retry';

    const { resourceMetadataUrl } = challenge;
    const flow: Flow = { url, resourceMetadataUrl, scope: undefined, anew: false };
    if (status === 401) {
      flow.anew = attempt.attempt > 1;
      // Nobody is asked twice for a token that the server will not have.
      if (flow.anew && used !== this.#refreshed) return 'fail';
      flow.scope = computeScopeUnion(this.#askedScope, challenge.scope);
      // The server may trust another authorization server by now.
      if (used !== undefined) await this.#view.forgetDiscovery();
    } else {
      if (challenge.error !== 'insufficient_scope') return 'fail';
      const had = computeScopeUnion(this.#askedScope, tokens?.scope);
      // What was asked for once is granted, or is not going to be.
      if (!isStrictScopeSuperset(challenge.scope, had)) return 'fail';
      flow.scope = computeScopeUnion(had, challenge.scope);
      flow.anew = true;
    }
    return this.#run(flow);
  }

  async #run(flow: Flow): Promise<ChallengeVerdict> {
    const { provider } = this.#view;
    const { fetch } = this.#settings;
    const finished = this.#finished;
    this.#flow = flow;
    let result: 'AUTHORIZED' | 'REDIRECT';
    try {
      result = await authQuietly(provider, {
        serverUrl: flow.url,
        forceReauthorization: flow.anew,
        ...(flow.resourceMetadataUrl && { resourceMetadataUrl: flow.resourceMetadataUrl }),
        ...(flow.scope !== undefined && { scope: flow.scope }),
        ...(fetch !== undefined && { fetchFn: fetch }),
      });
    } catch (error) {
      throw asUnauthorized(error);
    }
    if (result === 'REDIRECT') return this.#finished === finished ? 'fail' : 'retry';
    this.#askedScope = flow.scope;
    if (provider.redirectUrl !== undefined) {
      this.#refreshed = (await provider.tokens())?.access_token;
    }
    return 'retry';
  }

  /** What the token is to be for. Beside a stream of events, messages go to a URL that means nothing. */
  #resourceOf({ method, dialect, url }: Attempt): URL {
    const beside = method === 'POST' && dialect !== 'streamable-http' ? this.#streamUrl : undefined;
    const resource = new URL(this.#settings.url ?? beside ?? url);
    if (this.#settings.url === undefined) resource.search = '';
    return resource;
  }
}

/**
 * Makes the OAuth of connections to one server out of a provider of the SDK, which keeps the tokens
 * and leads people to the authorization server. However many requests are challenged at once, there
 * is one flow.
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
 * @throws TypeError for a provider with `dpop`, which is not supported, or whose tokens are for
 * another origin than that of `url`.
 */
export function oauth(provider: OAuthClientProvider, options: OAuthOptions = {}): OAuth {
  if (provider.dpop !== undefined) throw new TypeError('provider.dpop: not supported');
  return new OAuth(provider, options);
}

function asUnauthorized(cause: unknown): LongwireError {
  if (cause instanceof LongwireError) return cause;
  return unauthorized(cause instanceof Error ? cause.message : String(cause), cause);
}

function unauthorized(why: string, cause?: unknown): LongwireError {
  return new LongwireError(`authorization failed: ${why}`, {
    code: 'unauthorized',
    certainty: 'refused',
    cause,
  });
}
