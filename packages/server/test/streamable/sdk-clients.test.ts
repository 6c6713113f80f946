import {
  Client as Client2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, it } from 'vitest';
import { serving } from '../fixture.ts';

it('serves the client of SDK 1.x over Streamable HTTP', async () => {
  const { mcpUrl } = await serving();
  const client = new Client1({ name: 'c', version: '1' });
  await client.connect(new Http1(new URL(mcpUrl)) as never);
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
  const result = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
  expect(result['content']).toEqual([{ type: 'text', text: 'hi' }]);
  await client.close();
});

it.each(['auto', 'legacy'] as const)('serves the client of SDK 2.x, mode %s', async (mode) => {
  const { mcpUrl } = await serving();
  const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new Http2(new URL(mcpUrl)));
  const result = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
  expect(result.content).toEqual([{ type: 'text', text: 'hi' }]);
  expect(client.getNegotiatedProtocolVersion()).toBe(mode === 'auto' ? '2026-07-28' : '2025-11-25');
  await client.close();
});
