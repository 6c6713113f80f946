/**
 * One contender in a process of its own, so that `process.cpuUsage` and the garbage collector see
 * nothing else. Takes its orders over the channel to its parent, and ends with it.
 *
 * Arguments: the contender's module, the server's URL.
 */
import { performance } from 'node:perf_hooks';
import { percentile } from '../report/statistics.mjs';

const [moduleUrl, serverUrl] = process.argv.slice(2);
if (!moduleUrl || !serverUrl) throw new Error('usage: contender-process <module> <server URL>');

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

/** @typedef {import('./contenders.mjs').OpenContender} OpenContender */

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
      const result = await contender.call({ message });
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

async function main() {
  /** @type {{ open(url: string): Promise<OpenContender> }} */
  const { open } = await import(String(moduleUrl));
  const contender = await open(String(serverUrl));
  process.on('message', (/** @type {Order} */ order) => {
    sample(contender, order).then(
      (result) => process.send?.({ sample: result }),
      (error) => process.send?.({ error: String(error?.stack ?? error) }),
    );
  });
}

process.on('disconnect', () => process.exit());
main().then(
  () => process.send?.({ ready: true }),
  (error) => process.send?.({ error: String(error?.message ?? error) }),
);
