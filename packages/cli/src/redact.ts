import { isCredential } from './headers.js';

const mask = '***';

/**
 * Below this a secret is replaced only where it stands alone, for `k1` is in half of all words; and
 * not at all in data, where replacing a common word would falsify it.
 */
const minFreeLength = 6;

/** Below this what a header or a URL holds is not replaced in data either, for the same reason. */
const minCredentialLength = 8;

/** How many values of endpoints are kept: every reconnection brings another session, without end. */
const maxEndpointSecrets = 100;

/** Names of query parameters that hold what lets one in. */
const credentialParameter = /session|^sid$|token|secret|password|api_?key|(?:^|[_-])key$/i;

/** Messages are for reading: no more of one is shown. */
const maxMessageLength = 2000;

/** Looked at beyond that, so that a secret at the cut is not shown in part. */
const messageMargin = 2000;

/**
 * What is not longer is looked at as a whole, and so can keep its end: in the last words of a
 * process that is where the reason stands, and behind them what to do.
 */
const maxWholeLength = 6000;

/** Of such a message, how much of its end is shown. */
const shownEndLength = 800;

/**
 * What looks like a secret in a message, whoever wrote it, with the part before it kept. Every
 * repetition is bounded, or ends where the next match could begin: servers write these messages.
 */
const patterns: readonly RegExp[] = [
  // User information of a URL.
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#]+(?=@)/gi,
  // User and password of an address without a scheme.
  /((?<![^\s"'<>(]))[^\s:@/"'<>(]{1,128}:[^\s@/]{1,256}(?=@)/g,
  // Values of a query, also of a path alone: session ids live there.
  /([?&][^\s=&#?]+=)[^\s&#"'<>)\]}`]+/g,
  // A query without names.
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s?#]{0,1000}\?)[^\s=&#"'<>)\]}`]+(?=[\s#"'<>)\]}`]|$)/gi,
  /(\b(?:Bearer|Basic)\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{6,}=*/gi,
  /(\b(?:[a-z]{1,20}[_-])?(?:api[_-]?key|token|secret|password|session[_-]?id)["']?\s*[:=]\s*["']?)[^\s"',;&}]+/gi,
  /(\bsk-ant-)[\w-]+/g,
];

/** `inData: false` for what may as well be a common word. */
interface SecretOptions {
  inData: boolean;
}

/** Replaces secrets, known ones wherever they appear and others by their looks, in what is shown. */
export class Redactor {
  readonly #secrets = new Map<string, SecretOptions>();
  /** Those of endpoints, the one that was used last at the end. */
  readonly #endpointSecrets = new Map<string, SecretOptions>();

  /**
   * Learns a secret, for good. `inData: false` for what may as well be a common word: it is then
   * replaced in messages and left in results.
   */
  add(secret: string | undefined, options: Partial<SecretOptions> = {}): void {
    if (secret === undefined || secret.trim() === '') return;
    const inData = options.inData ?? true;
    for (const form of [secret, encode(secret)]) {
      this.#secrets.set(form, { inData: inData || (this.#secrets.get(form)?.inData ?? false) });
    }
  }

  /** Learns the value of a header, its credentials without their scheme included. */
  addHeader(name: string, value: string): void {
    const learn = (part: string): void =>
      this.add(part, { inData: isCredential(name) && part.length >= minCredentialLength });
    if (isCredential(name) || value.length >= 4) learn(value);
    for (const part of value.split(/[\s;,]+/)) {
      const credential = part.replace(/^[\w-]+=(?=.)/, '');
      if (credential.length >= minFreeLength) learn(credential);
    }
  }

  /** Learns the value of an environment variable that a command is given. */
  addVariable(name: string, value: string): void {
    if (URL.canParse(value)) this.addUrl(new URL(value));
    if (!isCredential(name) && value.length < 4) return;
    const inData = isCredential(name) || looksGenerated(value);
    this.add(value, { inData: inData && value.length >= minCredentialLength });
  }

  /**
   * Learns what the words of a command hide: URLs, and values by the name before them, as in
   * `--token VALUE`, `TOKEN=VALUE` and `Authorization: VALUE`.
   */
  addCommand(words: readonly string[]): void {
    for (const [index, word] of words.entries()) {
      const flag = /^--?[\w-]+$/.exec(words[index - 1] ?? '')?.[0] ?? '';
      const [, name = flag, value = word] = /^-*([\w.-]+)[=:]\s*(.+)$/s.exec(word) ?? [];
      for (const text of [word, value]) if (URL.canParse(text)) this.addUrl(new URL(text));
      if (isCredential(name) && !value.startsWith('-')) this.addHeader(name, value);
    }
  }

  /** Learns what a URL hides, for good: user information and the values of its query. */
  addUrl(url: URL): void {
    for (const [secret, options] of secretsOf(url)) this.add(secret, options);
  }

  /**
   * Learns what the URL of a request hides. A server names its endpoint, anew in every session: of
   * such values only the last hundred are remembered, while what was added otherwise stays.
   */
  addEndpoint(url: URL): void {
    for (const [secret, options] of secretsOf(url)) this.#addPassing(secret, options);
  }

  /** Learns the id of a session that a header names, as `addEndpoint` does one in a URL. */
  addSession(id: string): void {
    this.#addPassing(id, { inData: true });
  }

  #addPassing(secret: string, options: SecretOptions): void {
    for (const form of [secret, encode(secret)]) {
      const known = this.#secrets.get(form);
      if (known !== undefined && (known.inData || !options.inData)) continue;
      const inData = options.inData || (this.#endpointSecrets.get(form)?.inData ?? false);
      this.#endpointSecrets.delete(form);
      this.#endpointSecrets.set(form, { inData });
    }
    for (const oldest of this.#endpointSecrets.keys()) {
      if (this.#endpointSecrets.size <= maxEndpointSecrets) break;
      this.#endpointSecrets.delete(oldest);
    }
  }

  /** A message or a log line without secrets, cut to what is worth reading. */
  message(text: string): string {
    const isWhole = text.length <= maxWholeLength;
    let redacted = isWhole ? text : text.slice(0, maxMessageLength + messageMargin);
    redacted = this.#replace(redacted, () => true);
    for (const pattern of patterns) redacted = redacted.replace(pattern, `$1${mask}`);
    if (redacted.length <= maxMessageLength) return redacted;
    if (!isWhole) return `${redacted.slice(0, maxMessageLength)}…`;
    const begin = redacted.slice(0, maxMessageLength - shownEndLength);
    return `${begin} … ${redacted.slice(-shownEndLength)}`;
  }

  /**
   * What a server sent, with only our own credentials replaced, should it echo them; the id of our
   * session is one, for whoever knows it can speak in it.
   */
  data(text: string): string {
    return this.#replace(text, isReplacedInData);
  }

  /** {@link data} for every string of a JSON value. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.data(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [this.data(key), this.value(item)]),
    );
  }

  /**
   * Where text that goes on may be cut for {@link data}: what comes after may be the beginning of a
   * secret, and has to wait for more.
   */
  safeEnd(text: string): number {
    const secrets = this.#known()
      .filter(([secret, options]) => isReplacedInData(secret, options))
      .map(([secret]) => secret);
    const longest = Math.max(1, ...secrets.map(({ length }) => length));
    let end = Math.max(0, text.length - longest + 1);
    while (end < text.length && !secrets.some((secret) => secret.startsWith(text.slice(end)))) {
      end++;
    }
    // One that is complete and reaches into what waits is not cut in two.
    for (const secret of secrets) {
      const start = text.lastIndexOf(secret, end - 1);
      if (start !== -1 && start < end && start + secret.length > end) end = start;
    }
    return end;
  }

  #known(): [secret: string, options: SecretOptions][] {
    return [...this.#secrets, ...this.#endpointSecrets];
  }

  #replace(text: string, applies: (secret: string, options: SecretOptions) => boolean): string {
    const found = this.#known()
      .filter(([secret, options]) => applies(secret, options) && text.includes(secret))
      .map(([secret]) => secret);
    let redacted = text;
    // The longest first, so that a secret within another leaves nothing of it.
    for (const secret of found.sort((a, b) => b.length - a.length)) {
      redacted =
        secret.length >= minFreeLength
          ? redacted.replaceAll(secret, mask)
          : redacted.replace(standingAlone(secret), mask);
    }
    return redacted;
  }
}

/** What a URL hides. What may be an ordinary word is a secret in messages only. */
function* secretsOf(url: URL): Generator<[secret: string, options: SecretOptions]> {
  const [username, password] = [decode(url.username), decode(url.password)];
  if (username !== '') yield [username, { inData: false }];
  if (password !== '') {
    yield [password, { inData: password.length >= minCredentialLength }];
    yield [basicCredentials(url), { inData: true }];
  }
  for (const [name, value] of url.searchParams) {
    if (value.length >= 4) yield [value, { inData: isCredentialValue(name, value) }];
  }
}

/** Whether a value of a query lets one in, by its name or its looks: `region=us-east-1` does not. */
function isCredentialValue(name: string, value: string): boolean {
  if (value.length < minCredentialLength) return false;
  return credentialParameter.test(name) || looksGenerated(value);
}

/** A UUID, a hash, random base64: no words, dates or versions, which are short between hyphens. */
function looksGenerated(value: string): boolean {
  return /[a-z\d]{12}/i.test(value) && /[a-z]/i.test(value) && /\d/.test(value);
}

function isReplacedInData(secret: string, { inData }: SecretOptions): boolean {
  return inData && secret.length >= minFreeLength;
}

/** User information as the header carries it. */
function basicCredentials({ username, password }: URL): string {
  return Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64');
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
