/** The supported versions of the protocol, the newest first. */
export const PROTOCOL_VERSIONS = [
  '2026-07-28',
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
] as const;

/** A version of the protocol. */
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

/** The version to use, or `auto`: it is detected. */
export type Protocol = 'auto' | ProtocolVersion;

/**
 * The two eras of MCP: `legacy` begins a session with `initialize`; `modern`, from protocol 2026-07-28
 * on, has no sessions, and names the client in each request.
 */
export type Era = 'legacy' | 'modern';
