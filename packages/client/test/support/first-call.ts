import type { HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import { until } from '../../../../test/support/until.ts';

/** The first `tools/call` that a server is sent, and the token of its progress. */
export async function firstCall(
  server: HostileSseServer,
): Promise<RpcMessage & { progressToken: unknown }> {
  let call: RpcMessage | undefined;
  await until(() => ([call] = server.messagesOf('tools/call')).length > 0);
  const meta = call!.params?.['_meta'] as { progressToken?: unknown } | undefined;
  return { ...call!, progressToken: meta?.progressToken };
}
