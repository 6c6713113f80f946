/**
 * How servers say that a tool cannot ask the program, because in protocol 2026-07-28 servers make no
 * requests: the SDKs for Python, Go, Rust and TypeScript, FastMCP and mcp-go.
 */
const CANNOT_ASK_BACK: readonly RegExp[] = [
  /\bno back-channel\b/i,
  /\bserver-initiated requests (is|are) (unavailable|not supported)\b/i,
  /\bserver-to-client requests are not (available|allowed)\b/i,
  /\bcannot be sent while serving a request on protocol version\b/i,
];

/** How they say that a tool asks through its result, which only that version allows. */
const CANNOT_ASK_IN_RESULT =
  /\b(requires (negotiated )?protocol version|only exists at MCP) 2026-07-28\b/i;

/** Only the beginning of a longer text is searched. */
const MAX_SEARCHED = 2000;

/** What to try if a text says that a tool cannot ask the program; `undefined` if it does not. */
export function backChannelHint(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const beginning = text.slice(0, MAX_SEARCHED);
  if (CANNOT_ASK_IN_RESULT.test(beginning)) {
    return "it can ask in the newest version of the protocol only: protocol: '2026-07-28'";
  }
  if (!CANNOT_ASK_BACK.some((pattern) => pattern.test(beginning))) return undefined;
  return (
    'it can ask in older versions of the protocol only, and in a session: ' +
    "give handlers for what it asks, and protocol: '2025-11-25' if that is not enough"
  );
}
