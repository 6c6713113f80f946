import { isReplacedInData, KnownSecrets, MASK as mask } from '@longwire/client';

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

/** Replaces secrets, known ones wherever they appear and others by their looks, in what is shown. */
export class Redactor extends KnownSecrets {
  /** A message or a log line without secrets, cut to what is worth reading. */
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
   * What a server sent, with only our own credentials replaced, should it echo them; the id of our
   * session is one, for whoever knows it can speak in it.
   */
  data(text: string): string {
    return this.replace(text, isReplacedInData);
  }

  /**
   * {@link data} for every value of a JSON value that is a string. Names stay: a program that reads the
   * output looks for them, and two of them must not become one.
   */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.data(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.value(item)]));
  }

  /**
   * Where text that goes on may be cut for {@link data}: what comes after may be the beginning of a
   * secret, and has to wait for more.
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
    // One that is complete and reaches into what waits is not cut in two.
    for (const secret of secrets) {
      const start = text.lastIndexOf(secret, end - 1);
      if (start !== -1 && start < end && start + secret.length > end) end = start;
    }
    return end;
  }
}
