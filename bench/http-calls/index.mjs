/**
 * `http-calls`: what a tool call over Streamable HTTP costs the client, for servers with sessions and
 * without, which answer with JSON and with event streams.
 */
import { measure, startServerProcess, succeeded } from '../calls/measure.mjs';
import { report } from '../calls/report.mjs';
import { bareLoopFor, LONGWIRE, OFFICIAL } from './contenders.mjs';
import { VARIANTS } from './variants.mjs';

const BARE_LOOP_FACTOR = 1.7;

/** @type {readonly import('../calls/measure.mjs').Mode[]} */
const MODES = [
  { title: 'Sequential', inFlight: 1, bareLoopFactor: BARE_LOOP_FACTOR },
  {
    title: '32 calls in flight',
    inFlight: 32,
    bareLoopFactor: BARE_LOOP_FACTOR,
    officialFactor: 6,
  },
];

/**
 * @param {{ rounds: number, calls: number }} options calls a sample
 * @returns {Promise<boolean>} whether every contender could be measured
 */
export async function run(options) {
  const measurements = [];
  for (const variant of VARIANTS) measurements.push(await measure(comparisonOf(variant), options));
  report(measurements, options);
  return measurements.every(succeeded);
}

/**
 * @param {import('./variants.mjs').Variant} variant
 * @returns {import('../calls/measure.mjs').Comparison}
 */
function comparisonOf(variant) {
  const { title, version, answers } = variant;
  const bareLoop = bareLoopFor(variant);
  return {
    name: `http-calls, ${title}`,
    title,
    startServer: () =>
      startServerProcess(new URL('./server.mjs', import.meta.url), [version, answers]),
    contenders: [bareLoop, LONGWIRE, OFFICIAL],
    bareLoop,
    longwire: LONGWIRE,
    official: [OFFICIAL],
    modes: MODES,
  };
}
