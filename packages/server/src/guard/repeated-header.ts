/** Headers that a request has once: with two, a proxy in front may have read the other one. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'origin',
  'content-type',
  'content-length',
  'authorization',
  'x-api-key',
  'api_key',
  'mcp-session-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'last-event-id',
]);

/**
 * The first of the names that comes twice. Node's `headers` keep only one of them, or join them.
 *
 * @param names in lower case; by default, every header that decides what the server does.
 */
export function repeatedHeader(
  rawHeaders: readonly string[],
  names: ReadonlySet<string> = SINGLE_HEADERS,
): string | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!names.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
