import { LongwireError } from '../errors.js';
import type { OutgoingRequest } from '../options/channel-options.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import { isCredentialName, isIdentityName } from '../secrets/known-secrets.js';
import { checkHeaders, type HeaderRecord, type HeaderSource } from './headers.js';

/** The credentials of one principal: those that the program gave last. */
export class Credentials {
  #given: PrincipalCredentials | undefined;
  #areOwn = false;

  /** @throws TypeError for headers and a token that HTTP does not allow. */
  constructor(given?: PrincipalCredentials) {
    this.give(given);
  }

  get given(): PrincipalCredentials | undefined {
    return this.#given;
  }

  /** Whether the principal shows the server who it is by itself: the client's own credentials then stay here. */
  get areOwn(): boolean {
    return this.#areOwn;
  }

  /** Whether a new token may be had where one was refused. */
  get isTokenAsked(): boolean {
    return typeof this.#given?.token === 'function';
  }

  /**
   * Replaces them. Without new ones those before stay.
   *
   * @throws TypeError for headers and a token that HTTP does not allow.
   */
  give(given: PrincipalCredentials | undefined): void {
    if (given === undefined || isSame(given, this.#given)) return;
    const { headers, token } = given;
    if (headers === undefined && token === undefined) return;
    const names = typeof headers === 'object' ? Object.keys(checkHeaders(headers)) : [];
    if (typeof token === 'string') checkToken(token);
    this.#given = { ...given };
    // The client never speaks for one that had its own.
    this.#areOwn ||=
      token !== undefined || typeof headers === 'function' || names.some(isCredentialName);
  }
}

/** One that users bring must not look like a server that cannot be reached. */
function checkToken(token: string): void {
  try {
    checkHeaders(bearer(token));
  } catch {
    throw new TypeError(
      'as.token: it has characters that HTTP does not allow, such as a line break at its end',
    );
  }
}

/** Most programs give the same for every request of a user. */
function isSame(one: PrincipalCredentials, other: PrincipalCredentials | undefined): boolean {
  if (one.token !== other?.token) return false;
  if (one.headers === other?.headers) return true;
  if (typeof one.headers !== 'object' || typeof other?.headers !== 'object') return false;
  const [names, others] = [Object.keys(one.headers), Object.keys(other.headers)];
  const before = other.headers;
  const now = one.headers;
  return names.length === others.length && names.every((name) => now[name] === before[name]);
}

/** What the headers of a principal are made of. */
export interface CredentialSourceOptions {
  credentials: Credentials;
  /** The headers of the client, with its credentials. */
  service: HeaderSource;
  /** The headers of the client, as the program gave them, without `auth` and without those of the URL. */
  plain: HeaderSource;
}

/**
 * The source of headers for the requests of one principal. If it has credentials of its own, none of
 * the client's goes with them: neither those of `auth` nor those of the URL, nor a header whose name is
 * that of a credential or names a user. If its headers only name a user, the client's credentials go with
 * them, as those of a proxy do, and no other user.
 */
export function credentialSource(options: CredentialSourceOptions): HeaderSource {
  const { credentials, service, plain } = options;
  let known: { given: PrincipalCredentials; headers: HeaderRecord } | undefined;
  return (outgoing) => {
    const { given, areOwn } = credentials;
    const base = areOwn ? plain : service;
    if (given === undefined) return typeof base === 'function' ? base(outgoing) : base;
    if (known?.given === given) return known.headers;
    const { headers, token } = given;
    if (
      typeof base === 'function' ||
      typeof headers === 'function' ||
      typeof token === 'function'
    ) {
      return asked({ base, areOwn, given }, outgoing);
    }
    const own = checkHeaders(headers ?? {});
    const fixed = { ...without(base, own, areOwn), ...own, ...bearer(token) };
    known = { given, headers: fixed };
    return fixed;
  };
}

/** Headers that functions of the program have a part in. */
async function asked(
  { base, areOwn, given }: { base: HeaderSource; areOwn: boolean; given: PrincipalCredentials },
  outgoing: () => OutgoingRequest,
): Promise<HeaderRecord> {
  const { headers = {}, token } = given;
  const client = typeof base === 'function' ? await base(outgoing) : base;
  let own: Readonly<Record<string, string>>;
  try {
    own = checkHeaders(typeof headers === 'function' ? await headers(outgoing()) : headers);
  } catch (cause) {
    throw failed("the principal's headers function failed", cause);
  }
  const kept = without(client, own, areOwn);
  if (typeof token !== 'function') return { ...kept, ...own, ...bearer(token) };
  let answer: unknown;
  try {
    answer = await token(outgoing());
    if (typeof answer !== 'string' || answer === '') throw new Error('it gave no token');
    return { ...kept, ...own, ...checkHeaders(bearer(answer)) };
  } catch (cause) {
    throw failed("the function that gives the principal's token failed", cause);
  }
}

/** The client's headers without those that say who asks, as far as the principal says so itself. */
function without(headers: HeaderRecord, own: HeaderRecord, areOwn: boolean): HeaderRecord {
  if (!areOwn && !Object.keys(own).some(isIdentityName)) return headers;
  const isKept = (name: string): boolean =>
    !isIdentityName(name) || (!areOwn && isCredentialName(name));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isKept(name)));
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function failed(summary: string, cause: unknown): LongwireError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LongwireError(`${summary}: ${reason}`, {
    code: 'unauthorized',
    certainty: 'not-sent',
    cause,
  });
}
