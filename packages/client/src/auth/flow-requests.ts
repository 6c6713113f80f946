import { OAuthErrorCode, type FetchLike } from '@modelcontextprotocol/client';
import type { WireObserver } from '../options/wire-event.js';
import { USER_AGENT } from '../http/headers.js';
import { DEFAULT_JSON_BOUNDS, parseJson } from '../untrusted/json.js';
import type { Network } from '../http/network.js';
import { isSameOrigin } from '../http/origin.js';
import { displayUrl } from '../http/display-url.js';
import { RefusedAddressError } from './addresses.js';
import { isUnavailable } from '../http/status.js';
import { AuthorityUnavailableError, timeLimitedFetch } from './authority-fetch.js';
import { repairDocument, type DocumentKind, type Properties } from './documents.js';
import { guardedFetch, openFetch } from './guarded-fetch.js';

/** The most of an authorization server's error that is quoted. */
const EXCERPT_LENGTH = 500;
/** As many as the SDK follows. */
const MAX_REDIRECTS = 5;

/** How requests to authorization servers are sent. */
export interface AuthorityOptions {
  fetch: FetchLike | undefined;
  /** How they are reached without a `fetch` of the program. */
  network: Network;
  timeoutMs: number;
  allowPrivateAddresses: boolean;
  allowUnadvertisedPkce: boolean;
  /** Requested instead of what the server names. */
  scope: string | undefined;
  /** Told of each request. */
  observe: WireObserver | undefined;
}

/** What has to follow a refused token request. */
export type Remedy = 'drop-client' | 'drop-tokens' | 'reauthorize' | 'none';

/** A token request without tokens in its response. */
interface TokenError {
  remedy: Remedy;
  error: Error;
  /** The refresh token that was refused. */
  refreshToken: string | undefined;
}

/**
 * The requests of one flow of the SDK. Responses are repaired to the form that it accepts, and the
 * reason why a token request was refused is kept here.
 */
export class FlowRequests {
  /** Why the latest token request failed. */
  tokenError: TokenError | undefined;
  /** The metadata could not be fetched; it may exist. */
  unavailable: AuthorityUnavailableError | undefined;
  /** Sends a request whose response is read elsewhere. */
  readonly send: FetchLike;
  readonly #isInteractive: boolean;
  #redirects = 0;

  constructor(authority: AuthorityOptions, server: string | URL, isInteractive: boolean) {
    const { fetch: given, network, timeoutMs, allowPrivateAddresses, observe } = authority;
    const url = new URL(server);
    const base = allowPrivateAddresses
      ? (given ?? openFetch(url, network))
      : guardedFetch(given, url, network);
    this.send = timeLimitedFetch(withUserAgent(base), { timeoutMs, observe });
    this.#isInteractive = isInteractive;
  }

  readonly fetch: FetchLike = async (url, init) => {
    const { body } = init ?? {};
    const form = body instanceof URLSearchParams ? body : undefined;
    if (form?.has('grant_type') !== true) {
      const response = await this.send(url, init);
      return typeof body === 'string'
        ? this.#readRegistration(new URL(url), response, body)
        : this.#readMetadata(new URL(url), response);
    }
    try {
      const response = await this.send(url, init);
      return this.#isRedirect(url, response)
        ? response
        : await this.#readTokens(url, response, form);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      return this.#fail(isNoAnswer(error) ? 'none' : reauthorizeIfRefresh(form), error, form);
    }
  };

  async #readMetadata(url: URL, response: Response): Promise<Response> {
    if (isUnavailable(response.status) || response.status >= 500) {
      this.unavailable ??= new AuthorityUnavailableError(
        `GET ${displayUrl(url)} was answered ${response.status}`,
      );
      // The SDK tries the next URL.
      return new Response(null, { status: 502 });
    }
    if (!response.ok) return response;
    const kind = kindOf(url);
    const document = objectOf(await response.text());
    // A web application may answer every path with a page.
    if (typeof document?.[kind === 'resource' ? 'resource' : 'issuer'] !== 'string') {
      return new Response(null, { status: 404 });
    }
    const defaults = this.#defaultsOf(kind, document);
    const repaired = repair(kind, document, defaults, `the metadata at ${displayUrl(url)}`);
    const authorities = repaired['authorization_servers'];
    if (kind === 'resource' && Array.isArray(authorities)) {
      repaired['authorization_servers'] = authorities.map(withSlash);
    }
    return Response.json(repaired);
  }

  /** Values for properties that a schema requires and nothing here needs, and for missing ones. */
  #defaultsOf(kind: DocumentKind, { issuer, token_endpoint }: Properties): Properties {
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
    return Response.json(
      repair('registration', document, defaults, `the client of ${displayUrl(url)}`),
    );
  }

  async #readTokens(
    url: string | URL,
    response: Response,
    form: URLSearchParams,
  ): Promise<Response> {
    const text = await response.clone().text();
    const answer = objectOf(text);
    if (response.ok && (answer?.['error'] ?? '') === '') {
      try {
        return Response.json(repairDocument('tokens', answer ?? {}, { token_type: 'Bearer' }));
      } catch {
        return this.#fail(
          reauthorizeIfRefresh(form),
          new Error('it answered without tokens'),
          form,
        );
      }
    }
    const { error, error_description: description } = answer ?? {};
    const reason = [error, description].filter((part) => typeof part === 'string').join(': ');
    const said = (reason === '' ? `HTTP ${response.status}: ${text}` : reason).slice(
      0,
      EXCERPT_LENGTH,
    );
    if (isUnavailable(response.status) || error === OAuthErrorCode.TemporarilyUnavailable) {
      const unavailable = new AuthorityUnavailableError(
        `the authorization server ${new URL(url).host} ${said}`,
      );
      return this.#fail('none', unavailable, form);
    }
    return this.#fail(remedyOf(error, form), new Error(said), form);
  }

  /** Whether the SDK follows it; any other redirect is an error. */
  #isRedirect(url: string | URL, { status, headers }: Response): boolean {
    const location = headers.get('location');
    if ((status !== 307 && status !== 308) || location === null) return false;
    const from = new URL(url);
    if (!URL.canParse(location, from.href) || ++this.#redirects > MAX_REDIRECTS) return false;
    const target = new URL(location, from);
    const isPlain = target.username === '' && target.password === '';
    return isPlain && isSameOrigin(target, from);
  }

  /** A response that the SDK turns into an error, without changing stored tokens. */
  #fail(remedy: Remedy, error: Error, form: URLSearchParams): Response {
    this.tokenError = { remedy, error, refreshToken: form.get('refresh_token') ?? undefined };
    return Response.json({ error: OAuthErrorCode.TemporarilyUnavailable }, { status: 400 });
  }
}

/** A `fetch` with the user agent of every request of this library. */
function withUserAgent(base: FetchLike): FetchLike {
  return (url, init) => {
    const headers = new Headers(init?.headers);
    if (!headers.has('user-agent')) headers.set('user-agent', USER_AGENT);
    return base(url, { ...init, headers });
  };
}

/** What the SDK does after an error of a token request. */
function remedyOf(error: unknown, form: URLSearchParams): Remedy {
  switch (error) {
    case OAuthErrorCode.InvalidClient:
    case OAuthErrorCode.UnauthorizedClient:
      return 'drop-client';
    case OAuthErrorCode.InvalidGrant:
    case OAuthErrorCode.InvalidDpopProof:
      return 'drop-tokens';
    default: {
      const isStandard = Object.values<unknown>(OAuthErrorCode).includes(error);
      const isFinal = isStandard && error !== OAuthErrorCode.ServerError;
      return isFinal ? 'none' : reauthorizeIfRefresh(form);
    }
  }
}

function reauthorizeIfRefresh(form: URLSearchParams): Remedy {
  return form.get('grant_type') === 'refresh_token' ? 'reauthorize' : 'none';
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

function repair(
  kind: DocumentKind,
  document: Properties,
  defaults: Properties,
  what: string,
): Properties {
  try {
    return repairDocument(kind, document, defaults);
  } catch (cause) {
    throw new Error(`${what}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Adds the slash at the end of an issuer. The metadata has the same URL, and the SDK then accepts both
 * forms as the issuer named there; without the slash it accepts only one.
 */
function withSlash(issuer: unknown): unknown {
  return typeof issuer === 'string' && !/[/?#]$|[?#]/.test(issuer) ? `${issuer}/` : issuer;
}

/** Whether an error says nothing about the tokens. */
function isNoAnswer(error: Error): boolean {
  return error instanceof AuthorityUnavailableError || error instanceof RefusedAddressError;
}
