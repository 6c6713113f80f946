import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { ToolCaller } from '../src/tool-events/tool-caller.ts';

it('initializes the server again when that has failed', async () => {
  const methods: string[] = [];
  const caller = new ToolCaller((message) => queueMicrotask(() => answer(message)));
  function answer(message: JSONRPCMessage): void {
    if (!('method' in message) || !('id' in message)) return;
    methods.push(message.method);
    const { id } = message;
    caller.claimOutgoing(
      methods.length === 1
        ? { jsonrpc: '2.0', id, error: { code: -32603, message: 'not yet' } }
        : { jsonrpc: '2.0', id, result: { content: [] } },
    );
  }
  const { signal } = new AbortController();
  const first = [
    caller.callTool({ name: 'echo', arguments: {} }, { signal }),
    caller.callTool({ name: 'echo', arguments: {} }, { signal }),
  ];
  for (const call of first) await expect(call).rejects.toThrow('not yet');
  expect(await caller.callTool({ name: 'echo', arguments: {} }, { signal })).toEqual({
    content: [],
  });
  expect(await caller.callTool({ name: 'echo', arguments: {} }, { signal })).toEqual({
    content: [],
  });
  expect(methods).toEqual(['initialize', 'initialize', 'tools/call', 'tools/call']);
});
