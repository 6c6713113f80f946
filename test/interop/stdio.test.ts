import { connect } from '@longwire/client';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { everythingCommand } from '../support/peers.ts';

expectNothingLeftOpen();

test('server-everything over stdio is what the official client sees', async () => {
  const official = new Client({ name: 'reference', version: '0' });
  await official.connect(new StdioClientTransport({ ...everythingCommand(), stderr: 'ignore' }));
  await using client = await connect(everythingCommand());
  expect(client.state).toMatchObject({ name: 'ready', transport: 'stdio' });
  expect(client.server).toEqual(official.getServerVersion());
  expect(client.capabilities).toEqual(official.getServerCapabilities());
  expect(client.protocolVersion).toBe(official.getNegotiatedProtocolVersion());
  const { tools } = await official.listTools();
  await official.close();

  expect((await client.listTools()).map(({ name }) => name)).toEqual(tools.map(({ name }) => name));
  expect(await client.callTool('echo', { message: 'hé' })).toEqual({
    content: [{ type: 'text', text: 'Echo: hé' }],
  });
  const seen: number[] = [];
  const result = await client.callTool(
    'trigger-long-running-operation',
    { duration: 0.1, steps: 5 },
    { onProgress: ({ progress }) => seen.push(progress) },
  );
  expect(JSON.stringify(result)).toContain('Long running operation completed');
  expect(seen).toEqual([1, 2, 3, 4, 5]);
});
