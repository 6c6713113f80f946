import { OAuthErrorCode, type FetchLike } from '@modelcontextprotocol/client';
import { USER_AGENT } from '../channels/headers.js';
import { DEFAULT_JSON_BOUNDS, parseJson } from '../channels/json.js';
import { isSameOrigin } from '../channels/origin.js';
import { place } from '../channels/place.js';
import { RefusedAddressError } from './addresses.js';
import { AuthorityAwayError, endingFetch, isAway } from './authority-fetch.js';
import { mendDocument, type DocumentKind, type Members } from './documents.js';
import { guardedFetch } from './guarded-fetch.js';

/** The most of an authorization server's error that is quoted. */
const EXCERPT_LENGTH = 500;
/** As often as the SDK follows redirects itself. */
const MAX_REDIRECTS = 5;

/** How authorization servers are asked. */
export interface AuthorityOptions {
  fetch: FetchLike | undefined;
  timeoutMs: number;
  allowPrivateAddresses: boolean;
  allowUnadvertisedPkce: boolean;
}

/** What a refused token request calls for. */
export type Remedy = 'forget-client' | 'forget-tokens' | 'ask-anew' | 'none';

/** A request for tokens that brought none. */
interface Refusal {
  remedy: Remedy;
  error: Error;
  /** The refresh token that was refused. */
  refreshToken: string | undefined;
}

/**
 * The requests of one flow of the SDK. Answers are put into the form that it takes, and what a token
 * request was refused with is kept from it.
 */
export class FlowRequests {
  /** What the latest one was refused with. */
  refusal: Refusal | undefined;
  /** Metadata could not be had, which does not say that there is none. */
  away: AuthorityAwayError | undefined;
  readonly #fetch: FetchLike;
  readonly #isInteractive: boolean;
  #redirects = 0;

  constructor(authority: AuthorityOptions, server: string | URL, isInteractive: boolean) {
    const { fetch: given, timeoutMs, allowPrivateAddresses } = authority;
    const base = allowPrivateAddresses ? (given ?? fetch) : guardedFetch(given, new URL(server));
    this.#fetch = endingFetch(withUserAgent(base), timeoutMs);
    this.#isInteractive = isInteractive;
  }

  readonly fetch: FetchLike = async (url, init) => {
    const { body } = init ?? {};
    const form = body instanceof URLSearchParams ? body : undefined;
    if (form?.has('grant_type') !== true) {
      const response = await this.#fetch(url, init);
      return typeof body === 'string'
        ? this.#readRegistration(new URL(url), response, body)
        : this.#readMetadata(new URL(url), response);
    }
    try {
      const response = await this.#fetch(url, init);
      return this.#isRedirect(url, response) ? response : await this.#judge(url, response, form);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      return this.#refuse(isNoAnswer(error) ? 'none' : anewIfRefresh(form), error, form);
    }
  };

  async #readMetadata(url: URL, response: Response): Promise<Response> {
    if (isAway(response.status) || response.status >= 500) {
      this.away ??= new AuthorityAwayError(`GET ${place(url)} was answered ${response.status}`);
      // The SDK looks in the next place.
      return new Response(null, { status: 502 });
    }
    if (!response.ok) return response;
    const kind = kindOf(url);
    const document = objectOf(await response.text());
    // A page that an application shows for every path.
    if (typeof document?.[kind === 'resource' ? 'resource' : 'issuer'] !== 'string') {
      return new Response(null, { status: 404 });
    }
    const defaults = this.#defaultsOf(kind, document);
    const mended = mend(kind, document, defaults, `the metadata at ${place(url)}`);
    const authorities = mended['authorization_servers'];
    if (kind === 'resource' && Array.isArray(authorities)) {
      mended['authorization_servers'] = authorities.map(withSlash);
    }
    return Response.json(mended);
  }

  /** What a schema asks for and nothing here needs, or what is meant where it is left out. */
  #defaultsOf(kind: DocumentKind, { issuer, token_endpoint }: Members): Members {
    if (kind === 'resource') return {};
    return {
      response_types_supported: ['code'],
      ...(!this.#isInteractive && { authorization_endpoint: token_endpoint }),
      ...(kind === 'openid' && {
        jwks_uri: issuer,
        subject_types_supported: [],
        id_token_signing_alg_values_supported: [],
      }),
    };
  }

  async #readRegistration(url: URL, response: Response, asked: string): Promise<Response> {
    if (!response.ok) return response;
    const defaults = { redirect_uris: objectOf(asked)?.['redirect_uris'] };
    const document = objectOf(await response.text()) ?? {};
    return Response.json(mend('registration', document, defaults, `the client of ${place(url)}`));
  }

  async #judge(url: string | URL, response: Response, form: URLSearchParams): Promise<Response> {
    const text = await response.clone().text();
    const answer = objectOf(text);
    if (response.ok && (answer?.['error'] ?? '') === '') {
      try {
        return Response.json(mendDocument('tokens', answer ?? {}, { token_type: 'Bearer' }));
      } catch {
        return this.#refuse(anewIfRefresh(form), new Error('it answered without tokens'), form);
      }
    }
    const { error, error_description: description } = answer ?? {};
    const reason = [error, description].filter((part) => typeof part === 'string').join(': ');
    const said = (reason === '' ? `HTTP ${response.status}: ${text}` : reason).slice(
      0,
      EXCERPT_LENGTH,
    );
    if (isAway(response.status) || error === OAuthErrorCode.TemporarilyUnavailable) {
      const away = new AuthorityAwayError(`the authorization server ${new URL(url).host} ${said}`);
      return this.#refuse('none', away, form);
    }
    return this.#refuse(remedyOf(error, form), new Error(said), form);
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
  #refuse(remedy: Remedy, error: Error, form: URLSearchParams): Response {
    this.refusal = { remedy, error, refreshToken: form.get('refresh_token') ?? undefined };
    return Response.json({ error: OAuthErrorCode.TemporarilyUnavailable }, { status: 400 });
  }
}

/** A `fetch` that says who asks, as every request of ours does. */
function withUserAgent(base: FetchLike): FetchLike {
  return (url, init) => {
    const headers = new Headers(init?.headers);
    if (!headers.has('user-agent')) headers.set('user-agent', USER_AGENT);
    return base(url, { ...init, headers });
  };
}

/** What the SDK does about an error of a token request. */
function remedyOf(error: unknown, form: URLSearchParams): Remedy {
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
      return isFinal ? 'none' : anewIfRefresh(form);
    }
  }
}

function anewIfRefresh(form: URLSearchParams): Remedy {
  return form.get('grant_type') === 'refresh_token' ? 'ask-anew' : 'none';
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

function kindOf({ pathname }: URL): DocumentKind {
  if (pathname.includes('/.well-known/openid-configuration')) return 'openid';
  return pathname.includes('/.well-known/oauth-authorization-server') ? 'authority' : 'resource';
}

function mend(kind: DocumentKind, document: Members, defaults: Members, what: string): Members {
  try {
    return mendDocument(kind, document, defaults);
  } catch (cause) {
    throw new Error(`${what}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * With a slash at its end an issuer has its metadata in the same place, and the SDK takes both forms
 * for what that has to say; without, only one.
 */
function withSlash(issuer: unknown): unknown {
  return typeof issuer === 'string' && !/[/?#]$|[?#]/.test(issuer) ? `${issuer}/` : issuer;
}

/** Whether an error says nothing of what was asked for. */
function isNoAnswer(error: Error): boolean {
  return error instanceof AuthorityAwayError || error instanceof RefusedAddressError;
}
