import { describe, expect, it } from 'vitest';
import { backChannelHint } from '../../src/connection/back-channel.ts';
import { serverError } from '../../src/connection/failures.ts';

describe('that a tool cannot ask the program', () => {
  it.each([
    [
      'the Python SDK 2',
      "Cannot send 'elicitation/create': this transport context has no back-channel for server-initiated requests.",
    ],
    [
      'FastMCP 4',
      'elicitation via server-initiated requests is unavailable on 2026-07-28 connections.',
    ],
    [
      'the Go SDK',
      '"elicitation/create" cannot be sent while serving a request on protocol version 2026-07-28: return an InputRequests map instead (multi round-trip requests, SEP-2322)',
    ],
    [
      'mcp-go',
      'server-initiated requests are not supported in protocol version 2026-07-28 or later: return an InputRequests map from the handler instead (multi round-trip requests, SEP-2322)',
    ],
    [
      'the TypeScript SDK',
      "Server-to-client requests are not available on protocol revision 2026-07-28: 'elicitation/create' cannot be sent while serving a request on that revision.",
    ],
    [
      'the Rust SDK',
      'Mcp error: -32600: server-to-client requests are not allowed on protocol 2026-07-28 or later; return InputRequiredResult instead',
    ],
  ])('is recognised in the words of %s, and the hint names the option', (_who, message) => {
    expect(backChannelHint(message)).toContain("protocol: '2025-11-25'");
    const error = serverError('the call of ask', { code: -32600, message });
    expect(error.hint).toContain('protocol');
  });

  it.each([
    [
      'the Rust SDK',
      'InputRequiredResult requires negotiated protocol version 2026-07-28 or newer',
    ],
    [
      'FastMCP 4',
      'the multi-round-trip result type (SEP-2322) only exists at MCP 2026-07-28; this connection negotiated 2025-11-25',
    ],
    ['mcp-go', 'requires protocol version 2026-07-28 or later'],
  ])('in an older version is recognised in the words of %s', (_who, message) => {
    expect(backChannelHint(message)).toContain("protocol: '2026-07-28'");
  });

  it.each(['no such tool', 'the channel is back', '', undefined, 7, { text: 'no back-channel' }])(
    'is not recognised in %j',
    (text) => {
      expect(backChannelHint(text)).toBeUndefined();
    },
  );
});
