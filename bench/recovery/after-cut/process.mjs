/** The process of one contender that is cut off. */
import { setTimeout as delay } from 'node:timers/promises';
import { takeOrders } from '../../calls/take-orders.mjs';

/**
 * @typedef {object} HoldOrder calls are to be in flight
 * @property {'hold'} type
 * @property {number} calls
 * @property {number} ms how long each of them takes
 *
 * @typedef {object} RecoverOrder the connection was cut: call until a call succeeds
 * @property {'recover'} type
 * @property {string} cutAtNs
 * @property {number} limitMs
 *
 * @typedef {object} Recovery
 * @property {number | undefined} ms from the cut to the success of a call
 * @property {number} tries calls that were made until then
 * @property {string | undefined} failure of the last of them that failed
 * @property {number} heldSucceeded calls that had been in flight at the cut and succeeded
 *
 * @typedef {import('../../calls/contender.mjs').OpenContender} OpenContender
 */

/** A call that did not settle for so long is abandoned, and another one made. */
const TRY_MS = 5000;
const PAUSE_MS = 25;

/** Calls in flight: whether they succeeded. @type {Promise<boolean>[]} */
let held = [];
let messages = 0;

/**
 * @param {OpenContender} contender
 * @param {string} tool
 * @param {object} [args]
 */
async function call(contender, tool, args) {
  const message = `message number ${messages++}`;
  const result = await contender.callTool(tool, { ...args, message });
  return result.content[0].text === message;
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @returns {Promise<T>}
 */
function settledIn(promise, ms) {
  const late = delay(ms, undefined, { ref: false }).then(() => {
    throw new Error(`not settled within ${ms} ms`);
  });
  return Promise.race([promise, late]);
}

/**
 * @param {OpenContender} contender
 * @param {RecoverOrder} order
 * @returns {Promise<Recovery>}
 */
async function recover(contender, { cutAtNs, limitMs }) {
  const endAt = performance.now() + limitMs;
  /** @type {Recovery} */
  const recovery = { ms: undefined, tries: 0, failure: undefined, heldSucceeded: 0 };
  while (recovery.ms === undefined && performance.now() < endAt) {
    if (recovery.tries++ > 0) await delay(PAUSE_MS);
    let right = false;
    try {
      right = await settledIn(call(contender, 'echo'), TRY_MS);
    } catch (error) {
      recovery.failure = error instanceof Error ? error.message : String(error);
      continue;
    }
    if (!right) throw new Error('A call got the answer of another');
    recovery.ms = Number(process.hrtime.bigint() - BigInt(cutAtNs)) / 1e6;
  }
  const left = Math.max(endAt - performance.now(), 0);
  const settled = await Promise.all(held.map((one) => settledIn(one, left).catch(() => false)));
  recovery.heldSucceeded = settled.filter(Boolean).length;
  held = [];
  return recovery;
}

takeOrders(async (contender, /** @type {HoldOrder | RecoverOrder} */ order) => {
  if (order.type === 'recover') return recover(contender, order);
  // Connections that idled away while others were measured are opened again before counting.
  if (!(await call(contender, 'echo'))) throw new Error('A call got the answer of another');
  held = Array.from({ length: order.calls }, () =>
    call(contender, 'hold', { ms: order.ms }).catch(() => false),
  );
  return { held: held.length };
});
