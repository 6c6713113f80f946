/** The official SDK 1.x, used as its documentation shows. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';

/**
 * @param {string} url
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url) {
  const client = new Client({ name: 'sdk-1', version: '1.0.0' });
  await client.connect(new SSEClientTransport(new URL(url)));
  await client.listTools();
  return {
    callTool: (name, args) => client.callTool({ name, arguments: args }),
  };
}
