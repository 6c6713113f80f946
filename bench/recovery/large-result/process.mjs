/** The process of one contender that takes one large result. */
import { createHash } from 'node:crypto';
import { takeOrders } from '../../calls/take-orders.mjs';

/**
 * @typedef {object} Order what the result is to be
 * @property {number} length
 * @property {string} sha256
 *
 * @typedef {object} Sample
 * @property {number} ms from the call to its result
 * @property {number} cpuMs of this process, user and system
 * @property {number} peakMiB how much more memory than before the call the process had at most
 */

const peakMiB = () => process.resourceUsage().maxRSS / 2 ** 10;

takeOrders(async (contender, /** @type {Order} */ { length, sha256 }) => {
  await contender.callTool('echo', { message: 'what a call needs is there' });

  const before = peakMiB();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const result = await contender.callTool('large', {});
  const ms = performance.now() - startedAt;
  const cpu = process.cpuUsage(cpuBefore);
  /** @type {Sample} */
  const sample = { ms, cpuMs: (cpu.user + cpu.system) / 1000, peakMiB: peakMiB() - before };

  const { text } = result.content[0];
  if (text.length !== length) throw new Error(`the result has ${text.length} characters`);
  if (createHash('sha256').update(text).digest('hex') !== sha256) {
    throw new Error('the result is not the one that was sent');
  }
  return { sample };
});
