/** Longwire, with everything that is on by default. */
import { connect } from '@longwire/client';

/**
 * @param {string} server the file of its program
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(server) {
  const client = await connect({ command: process.execPath, args: [server] });
  await client.listTools();
  return {
    callTool: (name, args) => client.callTool(name, args),
  };
}
