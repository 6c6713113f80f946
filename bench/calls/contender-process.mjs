/** The process of one contender that makes calls: takes a sample whenever it is told to. */
import { performance } from 'node:perf_hooks';
import { percentile } from '../report/statistics.mjs';
import { takeOrders } from './take-orders.mjs';

/**
 * @typedef {object} Order
 * @property {number} inFlight calls kept in flight
 * @property {number} calls how many to make
 * @property {number} capMs no call is started after this long
 *
 * @typedef {object} Sample what was measured
 * @property {number} calls
 * @property {number} cpuUs CPU per call of this process, user and system, microseconds
 * @property {number} callsPerSecond
 * @property {number} p50Us
 * @property {number} p99Us
 * @property {number} rssMiB
 */

/** @typedef {import('./contender.mjs').OpenContender} OpenContender */

/**
 * Keeps `inFlight` calls going until `calls` were made or the time is up.
 *
 * @param {OpenContender} contender
 * @param {Order} order
 * @param {Float64Array} latenciesMs filled with the latency of each call
 * @returns {Promise<number>} how many calls were made
 */
async function run(contender, { inFlight, calls, capMs }, latenciesMs) {
  const endsAt = performance.now() + capMs;
  let started = 0;
  let finished = 0;
  const lane = async () => {
    while (started < calls) {
      const message = `message number ${started++}`;
      const startedAt = performance.now();
      if (startedAt > endsAt) return;
      const result = await contender.callTool('echo', { message });
      latenciesMs[finished++] = performance.now() - startedAt;
      if (result.content[0].text !== message) throw new Error('A call got the answer of another');
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return finished;
}

/**
 * @param {OpenContender} contender
 * @param {Order} order
 * @returns {Promise<Sample>}
 */
async function sample(contender, order) {
  const latenciesMs = new Float64Array(order.calls);
  // Connections that idled away while others were measured are opened again before counting.
  await run(contender, { ...order, calls: Math.ceil(order.calls / 10) }, latenciesMs);

  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const calls = await run(contender, order, latenciesMs);
  const elapsedMs = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);

  const sorted = latenciesMs.subarray(0, calls).sort();
  return {
    calls,
    cpuUs: (cpu.user + cpu.system) / calls,
    callsPerSecond: (calls / elapsedMs) * 1000,
    p50Us: percentile(sorted, 0.5) * 1000,
    p99Us: percentile(sorted, 0.99) * 1000,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
  };
}

takeOrders(async (contender, order) => ({ sample: await sample(contender, order) }));
