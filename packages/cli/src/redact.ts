const mask = '***';

/**
 * Below this a secret is replaced only where it stands alone, for `k1` is in half of all words; and
 * not at all in data, where replacing a common word would falsify it.
 */
const minFreeLength = 6;

/** What looks like a secret in a message, whoever wrote it, with the part before it kept. */
const patterns: readonly RegExp[] = [
  // User information of a URL.
  /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]+(?=@)/gi,
  // Values of a query, also of a path alone: session ids live there.
  /([?&][^\s=&#?]+=)[^\s&#"'<>)\]}`]+/g,
  // A query without names.
  /([a-z][a-z0-9+.-]*:\/\/[^\s?#]*\?)[^\s=&#"'<>)\]}`]+(?=[\s#"'<>)\]}`]|$)/gi,
  /(\b(?:Bearer|Basic)\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{6,}=*/gi,
  /(\b(?:[a-z]+[_-])?(?:api[_-]?key|token|secret|password|session[_-]?id)["']?\s*[:=]\s*["']?)[^\s"',;&}]+/gi,
  /(\bsk-ant-)[\w-]+/g,
];

/** Replaces secrets, known ones wherever they appear and others by their looks, in what is shown. */
export class Redactor {
  readonly #secrets = new Map<string, { inData: boolean }>();

  /**
   * Learns a secret. `inData: false` for what may as well be a common word: it is then replaced in
   * messages and left in results.
   */
  add(secret: string | undefined, options: { inData?: boolean } = {}): void {
    if (secret === undefined || secret.trim() === '') return;
    const inData = options.inData ?? true;
    for (const form of [secret, encode(secret)]) {
      this.#secrets.set(form, { inData: inData || (this.#secrets.get(form)?.inData ?? false) });
    }
  }

  /** Learns the value of a header, its credentials without their scheme included. */
  addHeader(name: string, value: string): void {
    const inData = /auth|cookie|key|token|secret|password|session|credential/i.test(name);
    if (inData || value.length >= 4) this.add(value, { inData });
    for (const part of value.split(/[\s;,]+/)) {
      const credential = part.replace(/^[\w-]+=(?=.)/, '');
      if (credential.length >= minFreeLength) this.add(credential, { inData });
    }
  }

  /** Learns what a URL hides: user information and the values of its query. */
  addUrl(url: URL): void {
    this.add(decode(url.username), { inData: false });
    this.add(decode(url.password));
    if (url.password !== '') this.add(basicCredentials(url));
    for (const value of url.searchParams.values()) {
      if (value.length >= 4) this.add(value, { inData: false });
    }
  }

  /** A message or a log line without secrets. */
  message(text: string): string {
    let redacted = this.#replace(text, () => true);
    for (const pattern of patterns) redacted = redacted.replace(pattern, `$1${mask}`);
    return redacted;
  }

  /** What a server sent, with only our own credentials replaced, should it echo them. */
  data(text: string): string {
    return this.#replace(text, (secret, { inData }) => inData && secret.length >= minFreeLength);
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

  #replace(
    text: string,
    applies: (secret: string, options: { inData: boolean }) => boolean,
  ): string {
    let redacted = text;
    // The longest first, so that a secret within another leaves nothing of it.
    for (const [secret, options] of [...this.#secrets].sort(([a], [b]) => b.length - a.length)) {
      if (!applies(secret, options) || !redacted.includes(secret)) continue;
      redacted =
        secret.length >= minFreeLength
          ? redacted.replaceAll(secret, mask)
          : redacted.replace(standingAlone(secret), mask);
    }
    return redacted;
  }
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
