/** Replaces a secret in a text. */
export const MASK = '***';

/**
 * A shorter secret is replaced only as a word of its own, for `k1` is in half of all words. In data it
 * is not replaced at all: replacing a common word would falsify it.
 */
const MIN_FREE_LENGTH = 6;

/** A shorter value of a header or a URL is not replaced in data either, for the same reason. */
const MIN_CREDENTIAL_LENGTH = 8;

/** How many values are kept of what changes all the time: tokens, session ids. */
const MAX_RECENT = 200;

/** How many values of cookies are kept: some servers set a new one with every answer. */
const MAX_COOKIES = 200;

/** A header of a megabyte is no credential, and searching every message for it costs too much. */
const MAX_SECRET_LENGTH = 16_384;

/** Names of headers and variables that say who asks. */
const CREDENTIAL_NAME =
  /authori[sz]|auth(?!or)|cookie|key|token|secret|passw(?:or)?d|credential|session|signature|jwt|^dpop$/i;

/** Names of query parameters that hold credentials. */
const CREDENTIAL_PARAMETER = /session|^sid$|token|secret|password|api_?key|(?:^|[_-])key$/i;

/** The word before a credential in a header. */
const SCHEME = /^(?:basic|bearer|digest|negotiate|token|apikey)$/i;

/** Headers that hold no credential, though their names sound so. */
const NO_CREDENTIAL: ReadonlySet<string> = new Set(['www-authenticate', 'idempotency-key']);

/** Whether the header, or the variable, of that name says who asks, and is a secret. */
export function isCredentialName(name: string): boolean {
  return CREDENTIAL_NAME.test(name) && !NO_CREDENTIAL.has(name.toLowerCase());
}

/** Words in the names of headers by which a proxy says who the user is. */
const IDENTITY_WORD =
  /(?:^|[-_])(?:user(?![-_]?agent)|username|userid|email|login|subject|principal|identity|impersonate|assertion|groups|cert)(?:[-_]|$)|^from$/i;

/**
 * Whether the header of that name says who asks, as `x-remote-user` does: a credential, or what a server
 * behind a proxy takes for one. By its name alone it is no secret.
 */
export function isIdentityName(name: string): boolean {
  return isCredentialName(name) || IDENTITY_WORD.test(name);
}

/** Where a secret is replaced. */
export interface SecretOptions {
  /** `false` for what may be a common word: it is not replaced in data of a server. */
  inData: boolean;
  /**
   * By its name it is no credential, as the value of `?region=` or of `LOG_LEVEL`: it is replaced only
   * in what a person is shown, where a missing word does less harm. Default `false`.
   */
  isPrivate?: boolean;
}

/** The secrets of a program and its servers, and what replaces them in texts. */
export class KnownSecrets {
  readonly #lasting = new Map<string, SecretOptions>();
  /** Those that change: the latest at the end. */
  readonly #recent = new Map<string, SecretOptions>();
  /** The current cookies, and earlier ones. */
  readonly #cookies = new Map<string, SecretOptions>();
  /** The latest value of each header: most requests have the same. */
  readonly #lastValues = new Map<string, string>();

  /**
   * Adds a secret, for good. `inData: false` for what may be a common word: it is replaced in messages,
   * and not in results.
   */
  add(secret: string | undefined, options: Partial<SecretOptions> = {}): void {
    if (secret === undefined || secret.trim() === '' || secret.length > MAX_SECRET_LENGTH) return;
    const { inData = true, isPrivate = false } = options;
    for (const form of formsOf(secret)) {
      this.#lasting.set(form, stronger({ inData, isPrivate }, this.#lasting.get(form)));
    }
  }

  /** Adds the value of a header, its credentials without their scheme included, for good. */
  addHeader(name: string, value: string): void {
    for (const [secret, options] of secretsOfHeader(name, value)) this.add(secret, options);
  }

  /**
   * Adds the credentials in the headers of a request. They may differ each time: only the last 200 such
   * values are kept. A call costs no more than a look at each name.
   */
  learnHeaders(headers: Readonly<Record<string, string>>): void {
    for (const name in headers) {
      const value = headers[name] ?? '';
      if (this.#lastValues.get(name) === value || !isCredentialName(name)) continue;
      this.#lastValues.set(name, value);
      for (const [secret, options] of secretsOfHeader(name, value)) {
        this.#addRecent(secret, options);
      }
    }
  }

  /** Adds the value of an environment variable that a command is given. */
  addVariable(name: string, value: string): void {
    if (URL.canParse(value)) this.addUrl(new URL(value));
    if (!isCredentialName(name) && value.length < 4) return;
    const inData = isCredentialName(name) || looksGenerated(value);
    this.add(value, {
      inData: inData && value.length >= MIN_CREDENTIAL_LENGTH,
      isPrivate: !inData,
    });
  }

  /**
   * Adds the secrets among the words of a command: in URLs, and values by the name before them, as in
   * `--token VALUE`, `TOKEN=VALUE` and `Authorization: VALUE`.
   */
  addCommand(words: readonly string[]): void {
    for (const [index, word] of words.entries()) {
      const flag = /^--?[\w-]+$/.exec(words[index - 1] ?? '')?.[0] ?? '';
      const [, name = flag, value = word] = /^-*([\w.-]+)[=:]\s*(.+)$/s.exec(word) ?? [];
      for (const text of [word, value]) if (URL.canParse(text)) this.addUrl(new URL(text));
      if (isCredentialName(name) && !value.startsWith('-')) this.addHeader(name, value);
    }
  }

  /** Adds the secrets of a URL, for good: user information and the values of its query. */
  addUrl(url: URL): void {
    for (const [secret, options] of secretsOfUrl(url)) this.add(secret, options);
  }

  /**
   * Adds the secrets of a request's URL. A server names a new endpoint in every session: only the last
   * such values are kept.
   */
  addEndpoint(url: URL): void {
    for (const [secret, options] of secretsOfUrl(url)) this.#addRecent(secret, options);
  }

  /** Adds the id of a session that a header names; as `addEndpoint` does for one in a URL. */
  addSession(id: string): void {
    this.#addRecent(id, { inData: true });
  }

  /** Adds the values of the cookies that a server set. They replace nothing else. */
  setCookies(values: Iterable<string>): void {
    for (const value of values) {
      // A flag, or the name of a node: it is no credential, and may be in any word.
      if (value.length < MIN_FREE_LENGTH) continue;
      const inData = value.length >= MIN_CREDENTIAL_LENGTH;
      this.#addRecent(value, { inData }, { to: this.#cookies, max: MAX_COOKIES });
    }
  }

  /** A text without any credentials, for messages and logs. */
  mask(text: string): string {
    return this.replace(text, (_secret, { isPrivate }) => isPrivate !== true);
  }

  /**
   * As `mask`, for a text that was cut at its end: a part of a secret there is replaced as well, because
   * the beginning of a token is most of it.
   */
  maskCut(text: string): string {
    const masked = this.mask(text);
    for (const [secret, { inData }] of this.known()) {
      if (!inData) continue;
      const longest = Math.min(secret.length - 1, masked.length);
      for (let length = longest; length >= MIN_FREE_LENGTH; length--) {
        if (!masked.endsWith(secret.slice(0, length))) continue;
        return masked.slice(0, -length) + MASK;
      }
    }
    return masked;
  }

  /** A JSON value in which no string holds one of the secrets that is no common word. */
  maskValue(value: unknown): unknown {
    if (typeof value === 'string') return this.replace(value, isReplacedInData);
    if (Array.isArray(value)) return value.map((item) => this.maskValue(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [this.maskValue(key), this.maskValue(item)]),
    );
  }

  /** All that is known. */
  protected known(): [secret: string, options: SecretOptions][] {
    return [...this.#lasting, ...this.#recent, ...this.#cookies];
  }

  /** Replaces the secrets for which `applies` is true. */
  protected replace(
    text: string,
    applies: (secret: string, options: SecretOptions) => boolean,
  ): string {
    const found = this.known()
      .filter(([secret, options]) => applies(secret, options) && text.includes(secret))
      .map(([secret]) => secret);
    let redacted = text;
    // The longest first, so that nothing is left of a secret that holds another.
    for (const secret of found.sort((a, b) => b.length - a.length)) {
      redacted =
        secret.length >= MIN_FREE_LENGTH
          ? redacted.replaceAll(secret, MASK)
          : redacted.replace(standingAlone(secret), MASK);
    }
    return redacted;
  }

  #addRecent(
    secret: string,
    options: SecretOptions,
    { to, max } = { to: this.#recent, max: MAX_RECENT },
  ): void {
    if (secret.trim() === '' || secret.length > MAX_SECRET_LENGTH) return;
    for (const form of formsOf(secret)) {
      const known = this.#lasting.get(form);
      if (known !== undefined && (known.inData || !options.inData)) continue;
      const merged = stronger(options, to.get(form));
      to.delete(form);
      to.set(form, merged);
    }
    for (const oldest of to.keys()) {
      if (to.size <= max) break;
      to.delete(oldest);
    }
  }
}

/** A secret that is added twice is replaced wherever one of the two says so. */
function stronger(one: SecretOptions, other: SecretOptions | undefined): SecretOptions {
  if (other === undefined) return one;
  return {
    inData: one.inData || other.inData,
    isPrivate: one.isPrivate === true && other.isPrivate === true,
  };
}

/** Whether a secret is replaced in what a server sent as data. */
export function isReplacedInData(secret: string, { inData }: SecretOptions): boolean {
  return inData && secret.length >= MIN_FREE_LENGTH;
}

type Found = [secret: string, options: SecretOptions];

/** The secrets of a header: its value, and each credential in it without its scheme. */
function* secretsOfHeader(name: string, value: string): Generator<Found> {
  const optionsOf = (part: string): SecretOptions => ({
    inData: isCredentialName(name) && part.length >= MIN_CREDENTIAL_LENGTH,
    isPrivate: !isCredentialName(name),
  });
  if (isCredentialName(name) || value.length >= 4) yield [value, optionsOf(value)];
  // All of it, since a token may look like a list of parts.
  const [, scheme = '', credentials = ''] = /^(\S+)\s+(\S.*)$/.exec(value) ?? [];
  if (SCHEME.test(scheme)) yield [credentials, optionsOf(credentials)];
  for (const part of value.split(/[\s;,]+/)) {
    const credential = part.replace(/^[\w-]+=(?=.)/, '');
    const isSecret = credential.length >= MIN_FREE_LENGTH && !SCHEME.test(credential);
    if (isSecret) yield [credential, optionsOf(credential)];
  }
  const [, basic] = /^Basic\s+([A-Za-z\d+/]+=*)$/i.exec(value) ?? [];
  if (basic === undefined) return;
  const [, password = ''] = /^[^:]*:(.+)$/s.exec(Buffer.from(basic, 'base64').toString()) ?? [];
  if (password !== '') yield [password, optionsOf(password)];
}

/** The secrets of a URL. What may be an ordinary word is a secret in messages only. */
function* secretsOfUrl(url: URL): Generator<Found> {
  const [username, password] = [decode(url.username), decode(url.password)];
  if (username !== '') yield [username, { inData: false, isPrivate: true }];
  if (password !== '') {
    yield [password, { inData: password.length >= MIN_CREDENTIAL_LENGTH }];
    yield [Buffer.from(`${username}:${password}`).toString('base64'), { inData: true }];
  }
  for (const [name, value] of url.searchParams) {
    const isCredential = isCredentialValue(name, value);
    const isPrivate = !isCredential && !CREDENTIAL_PARAMETER.test(name);
    if (value.length >= 4) yield [value, { inData: isCredential, isPrivate }];
  }
}

/** Whether a value of a query is a credential, by its name or its form: `region=us-east-1` is none. */
function isCredentialValue(name: string, value: string): boolean {
  if (value.length < MIN_CREDENTIAL_LENGTH) return false;
  return CREDENTIAL_PARAMETER.test(name) || looksGenerated(value);
}

/** A UUID, a hash, random base64. Words, dates and versions are short between hyphens. */
function looksGenerated(value: string): boolean {
  return /[a-z\d]{12}/i.test(value) && /[a-z]/i.test(value) && /\d/.test(value);
}

/** How a secret may be written: as it is, in a URL, in JSON. */
function formsOf(secret: string): Set<string> {
  return new Set([secret, encode(secret), JSON.stringify(secret).slice(1, -1)]);
}

function standingAlone(secret: string): RegExp {
  return new RegExp(`(?<!\\w)${secret.replace(/[$()*+.?[\\\]^{|}-]/g, '\\$&')}(?!\\w)`, 'g');
}

function encode(text: string): string {
  // A lone surrogate cannot be encoded.
  try {
    return encodeURIComponent(text);
  } catch {
    return text;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
