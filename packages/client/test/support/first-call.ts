import { vi } from 'vitest';
import type { HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';

/** The first `tools/call` that a server is sent, and the token of its progress. */
export function firstCall(
  server: HostileSseServer,
): Promise<RpcMessage & { progressToken: unknown }> {
  return vi.waitFor(() => {
    const [call] = server.messagesOf('tools/call');
    if (call === undefined) throw new Error('no call has come yet');
    const meta = call.params?.['_meta'] as { progressToken?: unknown } | undefined;
    return { ...call, progressToken: meta?.progressToken };
  });
}
