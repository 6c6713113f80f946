/** The official SDK 2.x, used as its documentation shows for servers of any version. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/**
 * @param {string} url
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url) {
  const client = new Client(
    { name: 'sdk-2', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  await client.listTools();
  return {
    callTool: (name, args) => client.callTool({ name, arguments: args }),
  };
}
