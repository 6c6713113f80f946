/** The versions of the protocol that are spoken, the newest first. */
export const PROTOCOL_VERSIONS = [
  '2026-07-28',
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
] as const;

/** A version of the protocol. */
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

/** The version to speak, or `auto`: it is found out. */
export type Protocol = 'auto' | ProtocolVersion;
