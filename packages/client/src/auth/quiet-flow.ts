import {
  auth,
  OAuthErrorCode,
  specTypeSchemas,
  type FetchLike,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client';
import { USER_AGENT } from '../channels/headers.js';
import { DEFAULT_JSON_BOUNDS, parseJson } from '../channels/json.js';
import { isSameOrigin } from '../channels/origin.js';
import { LongwireError } from '../errors.js';
import { readText } from './read-text.js';

/** The most of an authorization server's error that is quoted. */
const EXCERPT_LENGTH = 500;
/** As often as the SDK follows redirects itself. */
const MAX_REDIRECTS = 5;

/** What a refused token request calls for. */
type Remedy = 'forget-client' | 'forget-tokens' | 'ask-anew' | 'none';

/** A request for tokens that brought none. */
interface Refusal {
  remedy: Remedy;
  error: Error;
}

/** What the SDK's `auth` is asked with. */
export type FlowOptions = Parameters<typeof auth>[1];

/**
 * Runs the SDK's `auth`, and does itself what that does after a refused token request. The SDK
 * writes such refusals to the terminal, with whatever the server has put into them: it is told of
 * an error of which it makes nothing, and what really came stays here.
 *
 * @throws what `auth` throws; Error with the server's own reason, at most 500 characters of it.
 */
export async function authQuietly(
  provider: OAuthClientProvider,
  options: FlowOptions,
): Promise<'AUTHORIZED' | 'REDIRECT'> {
  const tried = new Set<Remedy>(['none']);
  let { forceReauthorization } = options;
  for (;;) {
    const tokens = new TokenRequests(options.fetchFn);
    try {
      return await auth(provider, {
        ...options,
        fetchFn: tokens.fetch,
        ...(forceReauthorization !== undefined && { forceReauthorization }),
      });
    } catch (error) {
      const { refusal } = tokens;
      if (refusal === undefined) throw error;
      const { remedy } = refusal;
      if (tried.has(remedy)) throw refusal.error;
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
 * @throws what `redeem` throws; Error with the server's own reason.
 */
export async function redeemQuietly(
  provider: OAuthClientProvider,
  base: FetchLike | undefined,
  redeem: (fetch: FetchLike) => Promise<void>,
): Promise<void> {
  const tokens = new TokenRequests(base);
  try {
    await redeem(tokens.fetch);
  } catch (error) {
    const { refusal } = tokens;
    if (refusal === undefined) throw error;
    if (refusal.remedy === 'forget-client') {
      await provider.invalidateCredentials?.('client');
      await provider.invalidateCredentials?.('tokens');
    }
    throw refusal.error;
  }
}

/** A `fetch` that keeps to itself what a token request was refused with. */
class TokenRequests {
  /** What the latest one was refused with. */
  refusal: Refusal | undefined;
  readonly #fetch: FetchLike;
  #redirects = 0;

  constructor(base: FetchLike = fetch) {
    this.#fetch = (url, init) => {
      const headers = new Headers(init?.headers);
      if (!headers.has('user-agent')) headers.set('user-agent', USER_AGENT);
      return base(url, { ...init, headers });
    };
  }

  readonly fetch: FetchLike = async (url, init) => {
    const { body } = init ?? {};
    const grant = body instanceof URLSearchParams ? body.get('grant_type') : null;
    if (grant === null) return readWhole(await this.#fetch(url, init));
    try {
      const response = await readWhole(await this.#fetch(url, init));
      return this.#isRedirect(url, response) ? response : await this.#judge(response, grant);
    } catch (cause) {
      return this.#refuse(grant === 'refresh_token' ? 'ask-anew' : 'none', asError(cause));
    }
  };

  async #judge(response: Response, grant: string): Promise<Response> {
    const text = await response.clone().text();
    const answer = objectOf(text);
    const isRefresh = grant === 'refresh_token';
    if (response.ok && answer?.['error'] === undefined) {
      const { issues } = specTypeSchemas.OAuthTokens['~standard'].validate(answer);
      if (issues === undefined) return response;
      return this.#refuse(isRefresh ? 'ask-anew' : 'none', new Error('it answered without tokens'));
    }
    const { error, error_description: description } = answer ?? {};
    const reason = [error, description].filter((part) => typeof part === 'string').join(': ');
    const said = (reason === '' ? `HTTP ${response.status}: ${text}` : reason).slice(
      0,
      EXCERPT_LENGTH,
    );
    return this.#refuse(remedyOf(error, isRefresh), new Error(said));
  }

  /** Those that the SDK follows; any other is a refusal. */
  #isRedirect(url: string | URL, { status, headers }: Response): boolean {
    const location = headers.get('location');
    if ((status !== 307 && status !== 308) || location === null) return false;
    const from = new URL(url);
    if (!URL.canParse(location, from.href) || ++this.#redirects > MAX_REDIRECTS) return false;
    const target = new URL(location, from);
    const isPlain = target.username === '' && target.password === '';
    return isPlain && isSameOrigin(target, from);
  }

  /** An answer of which the SDK makes an error that it only throws. */
  #refuse(remedy: Remedy, error: Error): Response {
    this.refusal = { remedy, error };
    return Response.json({ error: OAuthErrorCode.TemporarilyUnavailable }, { status: 400 });
  }
}

/** What the SDK does about an error of a token request. */
function remedyOf(error: unknown, isRefresh: boolean): Remedy {
  switch (error) {
    case OAuthErrorCode.InvalidClient:
    case OAuthErrorCode.UnauthorizedClient:
      return 'forget-client';
    case OAuthErrorCode.InvalidGrant:
    case OAuthErrorCode.InvalidDpopProof:
      return 'forget-tokens';
    default: {
      const isStandard = Object.values<unknown>(OAuthErrorCode).includes(error);
      const isFinal = isStandard && error !== OAuthErrorCode.ServerError;
      return isRefresh && !isFinal ? 'ask-anew' : 'none';
    }
  }
}

/** The same answer, its body read within bounds. */
async function readWhole(response: Response): Promise<Response> {
  const { status, statusText, headers } = response;
  // Without a body there is nothing to read, and none may be given to a new answer.
  if (status < 200 || status > 599 || response.body === null) return response;
  const text = await readText(response);
  if (headers.get('content-type')?.includes('json') === true) checkJson(text);
  return new Response(text, { status, statusText, headers: withoutEncoding(headers) });
}

/** What is no JSON is the SDK's to judge; what is too much is nobody's. */
function checkJson(text: string): void {
  try {
    parseJson(text, DEFAULT_JSON_BOUNDS);
  } catch (error) {
    if (error instanceof LongwireError) throw error;
  }
}

/** `fetch` has decoded it. */
function withoutEncoding(headers: Headers): Headers {
  const copy = new Headers(headers);
  copy.delete('content-encoding');
  copy.delete('content-length');
  return copy;
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(text, DEFAULT_JSON_BOUNDS);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
