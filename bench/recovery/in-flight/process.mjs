/** The process of one contender that makes many calls at once. */
import { takeOrders } from '../../calls/take-orders.mjs';

/**
 * @typedef {object} Order
 * @property {number} calls in flight at once
 * @property {number} bursts how often
 *
 * @typedef {object} Sample
 * @property {number} cpuUs CPU per call of this process, user and system, microseconds
 * @property {number} callsPerSecond
 * @property {number} rssMiB after the bursts
 * @property {number} peakMiB the most that the process ever had
 */

/**
 * @param {import('../../calls/contender.mjs').OpenContender} contender
 * @param {number} calls
 */
async function burst(contender, calls) {
  await Promise.all(
    Array.from({ length: calls }, async (_, index) => {
      const message = `message number ${index}`;
      const result = await contender.callTool('gather', { message, calls });
      if (result.content[0].text !== message) throw new Error('A call got the answer of another');
    }),
  );
}

takeOrders(async (contender, /** @type {Order} */ { calls, bursts }) => {
  // Connections that idled away while others were measured are opened again before counting.
  await burst(contender, calls);

  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  for (let done = 0; done < bursts; done++) await burst(contender, calls);
  const elapsedMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);

  /** @type {Sample} */
  const sample = {
    cpuUs: (cpu.user + cpu.system) / (calls * bursts),
    callsPerSecond: ((calls * bursts) / elapsedMs) * 1000,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    peakMiB: process.resourceUsage().maxRSS / 2 ** 10,
  };
  return { sample };
});
