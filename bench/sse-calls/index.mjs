/** `sse-calls`: what a tool call over HTTP+SSE costs the client. */
import { measure, startServerProcess, succeeded } from '../calls/measure.mjs';
import { report } from '../calls/report.mjs';
import { BARE_LOOP, CONTENDERS, LONGWIRE, OFFICIAL } from './contenders.mjs';

/** @type {readonly import('../calls/measure.mjs').Mode[]} */
const MODES = [
  { title: 'Sequential', inFlight: 1, bareLoopFactor: 1.5, officialFactor: 5 },
  { title: '32 calls in flight', inFlight: 32, bareLoopFactor: 1.5, officialFactor: 8 },
];

/**
 * @typedef {object} Options
 * @property {number} rounds
 * @property {number} calls a sample
 * @property {readonly import('../calls/contender.mjs').Contender[]} [contenders]
 */

/**
 * @param {Options} options
 * @returns {Promise<boolean>} whether every contender could be measured
 */
export async function run({ contenders = CONTENDERS, ...options }) {
  const measurement = await measure(
    {
      name: 'sse-calls',
      startServer: () => startServerProcess(new URL('./server.mjs', import.meta.url)),
      contenders,
      bareLoop: BARE_LOOP,
      longwire: LONGWIRE,
      official: OFFICIAL,
      modes: MODES,
    },
    options,
  );
  report([measurement], options);
  return succeeded(measurement);
}
