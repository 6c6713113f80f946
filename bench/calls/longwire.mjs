/** Longwire, with everything that is on by default; how the server talks it finds out. */
import { connect } from '@longwire/client';

/**
 * @param {string} url
 * @returns {Promise<import('./contender.mjs').OpenContender>}
 */
export async function open(url) {
  const client = await connect(url);
  await client.listTools();
  return {
    callTool: (name, args) => client.callTool(name, args),
  };
}
