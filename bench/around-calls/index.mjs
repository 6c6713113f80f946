/**
 * `around-calls`: what Longwire has around a connection costs, and what it brings: middlewares, a
 * cache, a pool, a group.
 */
import { measure, startServerProcess, succeeded } from '../calls/measure.mjs';
import { cpuRatio, reportTables } from '../calls/report.mjs';
import { machine, table, againstTarget, withSpread } from '../report/markdown.mjs';
import { ratioSpread, spread } from '../report/statistics.mjs';
import { CACHE_HIT, FIVE_MIDDLEWARES, ONE_CONNECTION, PLAIN, POOL_OF_FOUR } from './contenders.mjs';
import { measure as measureGroup } from './group/index.mjs';

/** @typedef {import('../calls/measure.mjs').Comparison} Comparison */
/** @typedef {import('../calls/measure.mjs').Measured} Measured */
/** @typedef {import('../calls/measure.mjs').Measurement} Measurement */

const MIDDLEWARE_FACTOR = 1.3;
const POOL_FACTOR = 3;

const IN_FLIGHT = { title: '32 calls in flight', inFlight: 32 };

/** @type {Comparison} */
const MIDDLEWARES = {
  name: 'around-calls, middlewares',
  title: 'Middlewares',
  startServer: () =>
    startServerProcess(new URL('../http-calls/server.mjs', import.meta.url), [
      '2025-11-25',
      'json',
    ]),
  contenders: [PLAIN, FIVE_MIDDLEWARES, CACHE_HIT],
  bareLoop: PLAIN,
  modes: [{ title: 'Sequential', inFlight: 1 }, IN_FLIGHT],
};

/** @type {Comparison} */
const POOL = {
  name: 'around-calls, a pool',
  startServer: () => startServerProcess(new URL('./slow-server.mjs', import.meta.url)),
  contenders: [ONE_CONNECTION, POOL_OF_FOUR],
  bareLoop: ONE_CONNECTION,
  modes: [IN_FLIGHT],
};

/**
 * @param {{ rounds: number, calls: number }} options calls a sample; a tenth of it for the pool
 * @returns {Promise<boolean>} whether everything could be measured
 */
export async function run({ rounds, calls }) {
  const slowCalls = Math.ceil(calls / 10);
  const middlewares = await measure(MIDDLEWARES, { rounds, calls });
  const pool = await measure(POOL, { rounds, calls: slowCalls });
  const group = await measureGroup(rounds);

  console.log(`\n${machine()}`);
  console.log(
    `Medians of ${rounds} rounds of up to ${calls} calls, of the pool ${slowCalls} (least–most); a ratio is taken within each round.`,
  );
  reportTables(middlewares);
  reportPool(pool);
  group.report();
  console.log('\n### Targets\n');
  reportTargets(middlewares, pool);
  return succeeded(middlewares) && succeeded(pool) && group.measured;
}

/** @param {Measurement} measurement @param {Comparison['contenders'][number]} contender */
const recordOf = ({ records }, contender) =>
  records.find((record) => record.contender === contender);

/** @param {Measured | undefined} record */
const samplesOf = (record) => record?.samples.get(IN_FLIGHT) ?? [];

/**
 * Calls a second of one of the pool's contenders by those of the one connection.
 *
 * @param {Measurement} pool
 * @param {Measured | undefined} record
 */
function speedUp(pool, record) {
  /** @param {Measured | undefined} of */
  const rates = (of) => samplesOf(of).map(({ callsPerSecond }) => callsPerSecond);
  return ratioSpread(rates(record), rates(recordOf(pool, ONE_CONNECTION)));
}

/** @param {Measurement} pool */
function reportPool(pool) {
  console.log(`\n### A pool, ${IN_FLIGHT.title}\n`);
  const rows = pool.records.map((record) => {
    /** @param {keyof import('../calls/contender-process.mjs').Sample} figure */
    const figures = (figure) => spread(samplesOf(record).map((sample) => sample[figure]));
    return [
      record.contender.title,
      withSpread(figures('callsPerSecond'), 0),
      withSpread(speedUp(pool, record), 2),
      withSpread(figures('cpuUs'), 0),
    ];
  });
  console.log(table(['client', 'calls/s', '× one connection', 'CPU µs/call'], rows));
  for (const { contender, failure } of pool.records) {
    if (failure !== undefined) console.log(`\n${contender.title} failed, ${failure}`);
  }
}

/** @param {Measurement} middlewares @param {Measurement} pool */
function reportTargets(middlewares, pool) {
  const five = recordOf(middlewares, FIVE_MIDDLEWARES);
  for (const mode of MIDDLEWARES.modes) {
    const { median } = cpuRatio(five, recordOf(middlewares, PLAIN), mode);
    console.log(
      `- five middlewares, ${mode.title.toLowerCase()}, at most ${MIDDLEWARE_FACTOR} times the CPU per call without: ${againstTarget(median, median <= MIDDLEWARE_FACTOR)}`,
    );
  }
  const { median } = speedUp(pool, recordOf(pool, POOL_OF_FOUR));
  console.log(
    `- a pool of four, more than ${POOL_FACTOR} times the calls a second of one connection: ${againstTarget(median, median > POOL_FACTOR)}`,
  );
}
