import { isReplacedInData, KnownSecrets, MASK as mask } from '@longwire/client/internal';

/** The longest message that is shown. */
const maxMessageLength = 2000;

/** Read beyond that, so that a secret at the cut is not shown in part. */
const messageMargin = 2000;

/**
 * A message up to this length keeps its end: the output of a failed process has its reason there,
 * followed by what to do.
 */
const maxWholeLength = 6000;

/** How much of the end of such a message is shown. */
const shownEndLength = 800;

/**
 * What looks like a secret in a message, whoever wrote it, with the part before it kept. Every
 * repetition is bounded, or ends where the next match could begin: servers write these messages.
 */
const patterns: readonly RegExp[] = [
  // User information of a URL.
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#]+(?=@)/gi,
  // User and password of an address without a scheme; `name:=JSON` is an argument of a tool.
  /((?<![^\s"'<>(]))[^\s:@/"'<>(]{1,128}:(?!=["'@[{])[^\s@/]{1,256}(?=@)/g,
  // Values of a query, also of a path alone: session ids live there.
  /([?&][^\s=&#?]+=)[^\s&#"'<>)\]}`]+/g,
  // A query without names.
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s?#]{0,1000}\?)[^\s=&#"'<>)\]}`]+(?=[\s#"'<>)\]}`]|$)/gi,
  /(\b(?:Bearer|Basic)\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{6,}=*/gi,
  // By its name. Nothing is hidden of `${NAME:-…}`, as hints have it, nor of a name that a sentence
  // follows: `--env API_TOKEN: that is not set`.
  /(\b(?:[a-z]{1,20}[_-])?(?:api[_-]?key|token|secret|password|session[_-]?id)["']?\s*[:=]\s*["']?)(?!(?<=: )[A-Za-z]{1,12}:? [\w"'])(?=[^\s"',;&}]{0,20}[\p{L}\p{N}])[^\s"',;&}]+/giu,
  /(\bsk-ant-)[\w-]+/g,
];

/** Replaces secrets in output: known ones everywhere, others by their form. */
export class Redactor extends KnownSecrets {
  /** A message or a log line without secrets, cut to a readable length. */
  message(text: string): string {
    const isWhole = text.length <= maxWholeLength;
    let redacted = isWhole ? text : text.slice(0, maxMessageLength + messageMargin);
    redacted = this.replace(redacted, () => true);
    for (const pattern of patterns) redacted = redacted.replace(pattern, `$1${mask}`);
    if (redacted.length <= maxMessageLength) return redacted;
    if (!isWhole) return `${redacted.slice(0, maxMessageLength)}…`;
    const begin = redacted.slice(0, maxMessageLength - shownEndLength);
    return `${begin} … ${redacted.slice(-shownEndLength)}`;
  }

  /**
   * Data of a server, with only our own credentials replaced, which it may echo. The session id is one:
   * whoever knows it can use the session.
   */
  data(text: string): string {
    return this.replace(text, isReplacedInData);
  }

  /**
   * {@link data} for every string in a JSON value. Names stay: programs look for them, and two names
   * must not become one.
   */
  value(value: unknown): unknown {
    const secrets = this.known().filter(([secret, options]) => isReplacedInData(secret, options));
    // Most values hold none, and a copy of each would be many.
    return holdsAny(value, secrets) ? this.#redacted(value) : value;
  }

  /**
   * Where incomplete text may be cut for {@link data}: what follows may be the beginning of a secret,
   * and waits for more text.
   */
  safeEnd(text: string): number {
    const secrets = this.known()
      .filter(([secret, options]) => isReplacedInData(secret, options))
      .map(([secret]) => secret);
    const longest = Math.max(1, ...secrets.map(({ length }) => length));
    let end = Math.max(0, text.length - longest + 1);
    while (end < text.length && !secrets.some((secret) => secret.startsWith(text.slice(end)))) {
      end++;
    }
    // A complete secret that reaches into the waiting text is not cut in two.
    for (const secret of secrets) {
      const start = text.lastIndexOf(secret, end - 1);
      if (start !== -1 && start < end && start + secret.length > end) end = start;
    }
    return end;
  }

  #redacted(value: unknown): unknown {
    if (typeof value === 'string') return this.data(value);
    if (Array.isArray(value)) return value.map((item) => this.#redacted(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, this.#redacted(item)]),
    );
  }
}

/** Whether a string in a JSON value holds one of the secrets. */
function holdsAny(
  value: unknown,
  secrets: readonly (readonly [secret: string, ...unknown[]])[],
): boolean {
  if (secrets.length === 0) return false;
  if (typeof value === 'string') return secrets.some(([secret]) => value.includes(secret));
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) {
    if (holdsAny((value as Record<string, unknown>)[name], secrets)) return true;
  }
  return false;
}
