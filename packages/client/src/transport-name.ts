/**
 * How a server talks: `sse` is HTTP+SSE of protocol 2024-11-05, `streamable-http` what came after
 * it, `stdio` a process of our own, `in-memory` a server in this process, and `tool-events` the
 * habit of SSE servers that never adopted JSON-RPC.
 */
export type TransportName = 'sse' | 'streamable-http' | 'stdio' | 'in-memory' | 'tool-events';
