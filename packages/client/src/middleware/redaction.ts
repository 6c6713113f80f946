/** Replaces a secret. */
const MASK = '[redacted]';

/** Names of credentials. */
const SECRET_NAME =
  /token|passw(?:or)?d|secret|authorization|api[_-]?key|private[_-]?key|credential|cookie|session[_-]?id/i;

/** Of the protocol: the number of a request. */
const PROGRESS_TOKEN = 'progressToken';

/** Secrets in a text, JSON in a string included, with the part before them kept. */
const IN_TEXT: readonly RegExp[] = [
  /(\b(?:Bearer|Basic)\s+)(?=[\w.~+/-]*\d)[\w.~+/-]{6,}=*/gi,
  /((?:api[_-]?key|token|secret|passw(?:or)?d|session[_-]?id)\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\,;&}]+/gi,
  /(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@]+(?=@)/gi,
];

const MAX_ITEMS = 50;
const MAX_DEPTH = 8;

/** How values are shown in a log. */
export interface Redaction {
  /** Characters of a string that are shown. */
  maxValueChars: number;
  /** Names of further fields that are never shown, in any letter case. */
  redact: readonly string[];
}

/** Masked beyond what is shown, so that a secret at the cut is not shown in part. */
const MARGIN_CHARS = 4096;

/** Replaces in a text what the client knows to be a secret. */
type Mask = (text: string) => string;

/** Shows a value. */
export type Show = (value: unknown, mask: Mask) => unknown;

/** Makes a function that shows a value without its secrets, and without what is too large to be read. */
export function redaction({ maxValueChars, redact }: Redaction): Show {
  const further = new Set(redact.map((name) => name.toLowerCase()));
  const isSecret = (name: string): boolean =>
    (SECRET_NAME.test(name) && name !== PROGRESS_TOKEN) || further.has(name.toLowerCase());

  const text = (value: string, mask: Mask): string => {
    const isLong = value.length > maxValueChars;
    let shown = mask(isLong ? value.slice(0, maxValueChars + MARGIN_CHARS) : value);
    for (const pattern of IN_TEXT) shown = shown.replace(pattern, `$1${MASK}`);
    if (isLong) shown = shown.slice(0, maxValueChars);
    return isLong ? `${shown}… (${value.length - maxValueChars} more characters)` : shown;
  };

  const show = (value: unknown, depth: number, mask: Mask): unknown => {
    if (typeof value === 'string') return text(value, mask);
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth === MAX_DEPTH) return '…';
    if (Array.isArray(value)) {
      const shown = value.slice(0, MAX_ITEMS).map((item) => show(item, depth + 1, mask));
      if (value.length > MAX_ITEMS) shown.push(`… (${value.length - MAX_ITEMS} more)`);
      return shown;
    }
    const entries = Object.entries(value);
    const shown: [string, unknown][] = entries
      .slice(0, MAX_ITEMS)
      .map(([name, item]) => [name, isSecret(name) ? MASK : show(item, depth + 1, mask)]);
    if (entries.length > MAX_ITEMS) shown.push(['…', `(${entries.length - MAX_ITEMS} more)`]);
    return Object.fromEntries(shown);
  };
  return (value, mask) => show(value, 0, mask);
}
