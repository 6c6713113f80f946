/** The official SDK 2.x, used as its documentation shows. */
import { Client, SSEClientTransport } from '@modelcontextprotocol/client';

/**
 * @param {string} url
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url) {
  const client = new Client({ name: 'sdk-2', version: '1.0.0' });
  await client.connect(new SSEClientTransport(new URL(url)));
  await client.listTools();
  return {
    callTool: (name, args) => client.callTool({ name, arguments: args }),
  };
}
