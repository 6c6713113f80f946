import {
  computeScopeUnion,
  isStrictScopeSuperset,
  StreamableHTTPClientTransport,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client';
import type { ChallengeVerdict } from '../channels/channel.js';
import { LongwireError } from '../errors.js';
import type { Challenge } from './challenge.js';
import { viewProvider, type ProviderView } from './provider-view.js';
import type { AuthorityOptions } from './flow-requests.js';
import { authQuietly, redeemQuietly } from './quiet-flow.js';

/** The most of an error that is told; all of it is its cause. */
const MESSAGE_LENGTH = 600;

/** A request that was challenged. */
export interface Challenged {
  status: 401 | 403;
  challenge: Challenge;
  /** What the token is to be for. */
  url: URL;
  /** Which attempt of the request it was, from 1. */
  attempt: number;
  /** The token that it went out with. */
  used: string | undefined;
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

const flowsOf = new WeakMap<OAuthClientProvider, ProviderFlows>();

/**
 * The flows of one provider. It holds one set of tokens: whoever asks for new ones, only one flow
 * runs at a time.
 */
export class ProviderFlows {
  readonly view: ProviderView;
  /** For which origin the tokens are. */
  #origin: string | undefined;
  #running: Running | undefined;
  /** The flow that was begun last. */
  #flow: Flow | undefined;
  /** What the tokens so far were asked for with; the server may have granted less. */
  #askedScope: string | undefined;
  /** The token that a refresh brought last, without anybody being asked. */
  #refreshed: string | undefined;
  #finished = 0;
  #finishedState: string | undefined;

  private constructor(provider: OAuthClientProvider) {
    this.view = viewProvider(provider);
  }

  /** The flows of this provider, whichever `oauth` it was given to. */
  static of(provider: OAuthClientProvider): ProviderFlows {
    let flows = flowsOf.get(provider);
    if (flows === undefined) flowsOf.set(provider, (flows = new ProviderFlows(provider)));
    return flows;
  }

  /** For which URL the flow that was begun last asked. */
  get latestUrl(): URL | undefined {
    return this.#flow?.url;
  }

  /** @throws TypeError if the provider's tokens are for another origin. */
  bindTo(origin: string): void {
    this.#origin ??= origin;
    if (this.#origin === origin) return;
    throw new TypeError(
      `the tokens of this OAuth provider are for ${this.#origin}, and are never sent to ${origin}: ` +
        'give each server a provider of its own',
    );
  }

  /** Answers a challenge. Others that say the same wait for the same answer, all others for its end. */
  answer(challenged: Challenged, authority: AuthorityOptions): Promise<ChallengeVerdict> {
    const { status, challenge, url } = challenged;
    const key = [status, url.href, challenge.scope, challenge.resourceMetadataUrl].join(' ');
    if (this.#running?.key === key) return this.#running.verdict;
    const before = this.#running?.verdict.catch(() => undefined);
    const running: Running = {
      key,
      verdict: Promise.resolve(before)
        .then(() => this.#authorize(challenged, authority))
        .finally(() => {
          if (this.#running === running) this.#running = undefined;
        }),
    };
    this.#running = running;
    return running.verdict;
  }

  /** @throws LongwireError `unauthorized`: it was refused, or is not what was begun. */
  async finish(url: URL, callback: URLSearchParams, authority: AuthorityOptions): Promise<void> {
    const { provider, state } = this.view;
    if (state !== undefined && callback.get('state') !== state) {
      throw unauthorized('the callback belongs to no authorization that was begun here');
    }
    // The SDK would throw the tokens away because a code does not work twice.
    if (state !== undefined && state === this.#finishedState) {
      throw unauthorized('the callback was handed over before');
    }
    try {
      await redeemQuietly(provider, authority, url, (checked, fetch) => {
        // The SDK checks a callback in its transports only.
        const options = { authProvider: checked, fetch };
        return new StreamableHTTPClientTransport(url, options).finishAuth(callback);
      });
    } catch (error) {
      throw asUnauthorized(error);
    }
    this.#finished++;
    this.#finishedState = state;
    this.#askedScope = this.#flow?.scope;
  }

  async #authorize(
    { status, challenge, url, attempt, used }: Challenged,
    authority: AuthorityOptions,
  ): Promise<ChallengeVerdict> {
    const tokens = await this.view.provider.tokens();
    // Somebody else's flow has brought another one meanwhile.
    if (tokens !== undefined && tokens.access_token !== used) return 'retry';

    const { resourceMetadataUrl } = challenge;
    const flow: Flow = { url, resourceMetadataUrl, scope: undefined, anew: false };
    if (status === 401) {
      flow.anew = attempt > 1;
      // Nobody is asked twice for a token that the server will not have.
      if (flow.anew && used !== this.#refreshed) return 'fail';
      flow.scope = computeScopeUnion(this.#askedScope, challenge.scope);
      // The server may trust another authorization server by now.
      if (used !== undefined) await this.view.forgetDiscovery();
    } else {
      if (challenge.error !== 'insufficient_scope') return 'fail';
      const had = computeScopeUnion(this.#askedScope, tokens?.scope);
      // What was asked for once is granted, or is not going to be.
      if (!isStrictScopeSuperset(challenge.scope, had)) return 'fail';
      flow.scope = computeScopeUnion(had, challenge.scope);
      flow.anew = true;
    }
    return this.#run(flow, authority);
  }

  async #run(flow: Flow, authority: AuthorityOptions): Promise<ChallengeVerdict> {
    const { provider } = this.view;
    const finished = this.#finished;
    this.#flow = flow;
    let result: 'AUTHORIZED' | 'REDIRECT';
    try {
      result = await authQuietly(provider, authority, {
        serverUrl: flow.url,
        forceReauthorization: flow.anew,
        ...(flow.resourceMetadataUrl && { resourceMetadataUrl: flow.resourceMetadataUrl }),
        ...(flow.scope !== undefined && { scope: flow.scope }),
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
}

function asUnauthorized(cause: unknown): LongwireError {
  if (cause instanceof LongwireError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  // An answer may be a page.
  return unauthorized(message.replace(/\s+/g, ' ').slice(0, MESSAGE_LENGTH), cause);
}

function unauthorized(why: string, cause?: unknown): LongwireError {
  return new LongwireError(`authorization failed: ${why}`, {
    code: 'unauthorized',
    certainty: 'refused',
    cause,
  });
}
