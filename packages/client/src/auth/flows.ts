import {
  computeScopeUnion,
  isStrictScopeSuperset,
  StreamableHTTPClientTransport,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';
import type { Challenge } from './challenge.js';
import { viewProvider, type ProviderView } from './provider-view.js';
import type { AuthorityOptions } from './flow-requests.js';
import { authQuietly, redeemQuietly } from './quiet-flow.js';
import type { ChallengeDecision } from '../options/channel-options.js';

/** How much of an error is shown; its cause has all of it. */
const MESSAGE_LENGTH = 600;

/** A request that was challenged. */
export interface Challenged {
  status: 401 | 403;
  challenge: Challenge;
  /** The resource that the token is for. */
  url: URL;
  /** How often the request was sent, from 1. */
  attempt: number;
  /** The token that was sent with it. */
  used: string | undefined;
}

/** How a token is requested, and for which URL. */
interface Flow {
  url: URL;
  resourceMetadataUrl: URL | undefined;
  scope: string | undefined;
  /** Without the refresh token, which cannot give more than the last token had. */
  isFresh: boolean;
}

/** A flow that is running. */
interface Running {
  /** Equal challenges share one flow. */
  key: string;
  decision: Promise<ChallengeDecision>;
}

const flowsOf = new WeakMap<OAuthClientProvider, ProviderFlows>();

/**
 * The flows of one provider. A provider holds one set of tokens, so that only one flow runs at a time.
 */
export class ProviderFlows {
  readonly view: ProviderView;
  /** The origin that the tokens are for. */
  #origin: string | undefined;
  #running: Running | undefined;
  /** The latest flow. */
  #flow: Flow | undefined;
  /** The scope that the tokens were requested with; the server may have granted less. */
  #requestedScope: string | undefined;
  /** The token of the latest refresh, which needed no person. */
  #refreshed: string | undefined;
  #finished = 0;
  #finishedState: string | undefined;

  private constructor(provider: OAuthClientProvider) {
    this.view = viewProvider(provider);
  }

  /** The flows of this provider, shared by every `oauth` with it. */
  static of(provider: OAuthClientProvider): ProviderFlows {
    let flows = flowsOf.get(provider);
    if (flows === undefined) flowsOf.set(provider, (flows = new ProviderFlows(provider)));
    return flows;
  }

  /** The resource of the latest flow. */
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

  /** Answers a challenge. Equal ones share the flow; any other waits until it has ended. */
  answer(challenged: Challenged, authority: AuthorityOptions): Promise<ChallengeDecision> {
    const { status, challenge, url } = challenged;
    const key = [status, url.href, challenge.scope, challenge.resourceMetadataUrl].join(' ');
    if (this.#running?.key === key) return this.#running.decision;
    const before = this.#running?.decision.catch(() => undefined);
    const running: Running = {
      key,
      decision: Promise.resolve(before)
        .then(() => this.#authorize(challenged, authority))
        .finally(() => {
          if (this.#running === running) this.#running = undefined;
        }),
    };
    this.#running = running;
    return running.decision;
  }

  /** @throws LongwireError `unauthorized`: the code was refused, or the callback is of another flow. */
  async finish(url: URL, callback: URLSearchParams, authority: AuthorityOptions): Promise<void> {
    const { provider, state } = this.view;
    if (state !== undefined && callback.get('state') !== state) {
      throw unauthorized('the callback belongs to no authorization that was started here');
    }
    // A code works only once: the SDK would drop the tokens after its second use.
    if (state !== undefined && state === this.#finishedState) {
      throw unauthorized('the callback was used before');
    }
    try {
      await redeemQuietly(provider, authority, url, (checked, fetch) => {
        // The SDK checks a callback only in its transports.
        const options = { authProvider: checked, fetch };
        return new StreamableHTTPClientTransport(url, options).finishAuth(callback);
      });
    } catch (error) {
      throw asUnauthorized(error);
    }
    this.#finished++;
    this.#finishedState = state;
    this.#requestedScope = this.#flow?.scope;
  }

  async #authorize(
    { status, challenge, url, attempt, used }: Challenged,
    authority: AuthorityOptions,
  ): Promise<ChallengeDecision> {
    const tokens = await this.view.provider.tokens();
    // Another flow has brought new tokens meanwhile.
    if (tokens !== undefined && tokens.access_token !== used) return 'retry';

    const { resourceMetadataUrl } = challenge;
    const flow: Flow = { url, resourceMetadataUrl, scope: undefined, isFresh: false };
    if (status === 401) {
      flow.isFresh = attempt > 1;
      // A person does not authorize twice for a token that the server refuses.
      if (flow.isFresh && used !== this.#refreshed) return 'fail';
      flow.scope = authority.scope ?? computeScopeUnion(this.#requestedScope, challenge.scope);
      // The server may use another authorization server by now.
      if (used !== undefined) await this.view.forgetDiscovery();
    } else {
      if (challenge.error !== 'insufficient_scope') return 'fail';
      const had = computeScopeUnion(this.#requestedScope, tokens?.scope);
      // A scope that was requested once is granted, or will never be.
      if (!isStrictScopeSuperset(challenge.scope, had)) return 'fail';
      flow.scope = computeScopeUnion(had, challenge.scope);
      flow.isFresh = true;
    }
    return this.#run(flow, authority);
  }

  async #run(flow: Flow, authority: AuthorityOptions): Promise<ChallengeDecision> {
    const { provider } = this.view;
    const finished = this.#finished;
    this.#flow = flow;
    let result: 'AUTHORIZED' | 'REDIRECT';
    try {
      result = await authQuietly(provider, authority, {
        serverUrl: flow.url,
        forceReauthorization: flow.isFresh,
        ...(flow.resourceMetadataUrl && { resourceMetadataUrl: flow.resourceMetadataUrl }),
        ...(flow.scope !== undefined && { scope: flow.scope }),
      });
    } catch (error) {
      throw asUnauthorized(error);
    }
    if (result === 'REDIRECT') return this.#finished === finished ? 'fail' : 'retry';
    this.#requestedScope = flow.scope;
    if (provider.redirectUrl !== undefined) {
      this.#refreshed = (await provider.tokens())?.access_token;
    }
    return 'retry';
  }
}

/** An error of a flow, as one of the library's. */
export function asUnauthorized(cause: unknown): LongwireError {
  if (cause instanceof LongwireError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  // The message may hold a whole page.
  return unauthorized(message.replace(/\s+/g, ' ').slice(0, MESSAGE_LENGTH), cause);
}

function unauthorized(why: string, cause?: unknown): LongwireError {
  return new LongwireError(`authorization failed: ${why}`, {
    code: 'unauthorized',
    certainty: 'refused',
    cause,
  });
}
