/**
 * Longwire with `cache`. Samples number their messages from 0, and so does the warm-up, which makes
 * more calls than a sample: in a sample every call is a hit.
 */
import { connect } from '@longwire/client';
import { cache } from '@longwire/client/middleware';

/**
 * @param {string} url
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url) {
  const kept = cache({ tools: { echo: true }, ttlMs: 3_600_000, maxEntries: 100_000 });
  const client = await connect(url, { middleware: [kept] });
  await client.listTools();
  await client.callTool('echo', { message: 'kept' });
  await client.callTool('echo', { message: 'kept' });
  if (kept.stats().hits !== 1) throw new Error('The second call was not a hit');
  return {
    callTool: (name, args) => client.callTool(name, args),
  };
}
