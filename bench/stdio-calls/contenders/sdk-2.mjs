/** The official SDK 2.x, used as its documentation shows. */
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

/**
 * @param {string} server the file of its program
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(server) {
  const client = new Client({ name: 'sdk-2', version: '1.0.0' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [server] }));
  await client.listTools();
  return {
    callTool: (name, args) => client.callTool({ name, arguments: args }),
  };
}
