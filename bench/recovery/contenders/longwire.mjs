/**
 * Longwire with a first delay before it connects again, in milliseconds, that is named in the query
 * of this module's own URL; else with everything that is on by default.
 */
import { connect } from '@longwire/client';

/**
 * @param {string} url
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url) {
  const firstDelayMs = Number(new URL(import.meta.url).searchParams.get('firstDelayMs'));
  const client = await connect(url, { retry: { firstDelayMs } });
  await client.listTools();
  return {
    callTool: (name, args) => client.callTool(name, args),
  };
}
