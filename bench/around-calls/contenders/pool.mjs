/** A pool of Longwire's connections; how many there may be stands in the query: `?size=4`. */
import { createPool } from '@longwire/client/pool';

const size = Number(new URL(import.meta.url).searchParams.get('size'));

/**
 * @param {string} url
 * @returns {Promise<import('../../calls/contender.mjs').OpenContender>}
 */
export async function open(url) {
  const pool = createPool(url, { size });
  await pool.listTools();
  return {
    callTool: (name, args) => pool.callTool(name, args),
  };
}
