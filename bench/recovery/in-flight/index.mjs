/**
 * Many calls in flight on one session: the server answers none of them before it has them all, and
 * says how many there were.
 */
import { table, againstTarget, withSpread } from '../../report/markdown.mjs';
import { ratioSpread, spread } from '../../report/statistics.mjs';
import { BARE_LOOP, LONGWIRE } from '../../sse-calls/contenders.mjs';
import { IN_FLIGHT } from '../contenders.mjs';

/** @typedef {import('../../calls/child.mjs').Child} Child */
/** @typedef {import('../bench-server.mjs').BenchServer} BenchServer */
/** @typedef {import('./process.mjs').Sample} Sample */

/**
 * @typedef {object} Record
 * @property {(typeof IN_FLIGHT)[number]} contender
 * @property {Sample[]} samples by round
 * @property {number} peak the most calls that the server saw running at once
 * @property {Child | undefined} child
 * @property {string | undefined} failure
 */

const CALLS = 1000;
const BURSTS = 3;
/** The same as for one call after the other: see `sse-calls`. */
const BARE_LOOP_FACTOR = 1.5;
const WARM_UP_BURSTS = 5;
/** What a process makes of the code is decided early and by chance: then they are started anew. */
const ROUNDS_PER_PROCESS = 5;
const SAMPLE_TIMEOUT_MS = 60_000;

/** @param {BenchServer} server @param {number} rounds */
export async function measure(server, rounds) {
  /** @type {Record[]} */
  const records = IN_FLIGHT.map((contender) => ({
    contender,
    samples: [],
    peak: 0,
    child: undefined,
    failure: undefined,
  }));
  for (let first = 0; first < rounds; first += ROUNDS_PER_PROCESS) {
    const last = Math.min(first + ROUNDS_PER_PROCESS, rounds);
    console.error(
      `recovery: ${CALLS} calls in flight, rounds ${first + 1} to ${last} of ${rounds}`,
    );
    try {
      for (const record of records) await start(server, record);
      for (let round = first; round < last; round++) {
        for (let turn = 0; turn < records.length; turn++) {
          const record = records[(turn + round) % records.length];
          const taken = record && (await take(server, record, BURSTS));
          if (taken) record.samples.push(taken);
        }
      }
    } finally {
      await Promise.all(records.flatMap(({ child }) => (child ? [child.close()] : [])));
    }
  }
  return {
    measured: records.every(({ failure }) => failure === undefined),
    report: () => report(records, rounds),
    targets: () => targets(records),
  };
}

/** @param {BenchServer} server @param {Record} record */
async function start(server, record) {
  if (record.failure !== undefined) return;
  try {
    const process = new URL('./process.mjs', import.meta.url);
    record.child = await server.startContender(process, record.contender);
  } catch (error) {
    fail(record, error);
  }
  await take(server, record, WARM_UP_BURSTS);
}

/**
 * Takes one sample. A contender that fails or hangs is ended and measured no more.
 *
 * @param {BenchServer} server
 * @param {Record} record
 * @param {number} bursts
 * @returns {Promise<Sample | undefined>}
 */
async function take(server, record, bursts) {
  if (record.failure !== undefined || record.child === undefined) return undefined;
  try {
    const { sample } = await record.child.ask({ calls: CALLS, bursts }, SAMPLE_TIMEOUT_MS);
    record.peak = (await server.count(record.contender.id)).peak;
    if (record.peak !== CALLS) throw new Error(`the server saw ${record.peak} calls at once`);
    return sample;
  } catch (error) {
    fail(record, error);
    return undefined;
  }
}

/** @param {Record} record @param {unknown} error */
function fail(record, error) {
  record.failure = error instanceof Error ? error.message : String(error);
  record.child?.kill();
  console.error(`recovery: ${record.contender.title} failed, ${record.failure}`);
}

/** @param {readonly Record[]} records @param {(typeof IN_FLIGHT)[number]} contender */
const cpuOf = (records, contender) =>
  records.find((record) => record.contender === contender)?.samples.map(({ cpuUs }) => cpuUs) ?? [];

/** @param {readonly Record[]} records @param {number} rounds */
function report(records, rounds) {
  console.log(`\n### ${CALLS} calls in flight on one session\n`);
  console.log(
    `Medians of ${rounds} rounds of ${BURSTS} × ${CALLS} calls (least–most); a ratio is taken within each round.\n`,
  );
  console.log(
    table(
      [
        'client',
        'at once',
        'CPU µs/call',
        '× bare loop',
        '× Longwire',
        'calls/s',
        'RSS MiB',
        'peak RSS MiB',
      ],
      records.map(({ contender, samples, peak }) => {
        /** @param {keyof Sample} figure */
        const figures = (figure) => samples.map((sample) => sample[figure]);
        /** @param {keyof Sample} figure */
        const cell = (figure) => withSpread(spread(figures(figure)), 0);
        const cpu = figures('cpuUs');
        return [
          contender.title,
          String(peak),
          cell('cpuUs'),
          withSpread(ratioSpread(cpu, cpuOf(records, BARE_LOOP)), 2),
          withSpread(ratioSpread(cpu, cpuOf(records, LONGWIRE)), 2),
          cell('callsPerSecond'),
          cell('rssMiB'),
          cell('peakMiB'),
        ];
      }),
    ),
  );
  for (const { contender, failure } of records) {
    if (failure !== undefined) console.log(`\n${contender.title} failed, ${failure}`);
  }
}

/** @param {readonly Record[]} records */
function targets(records) {
  const longwire = records.find(({ contender }) => contender === LONGWIRE);
  const peak = longwire?.peak ?? 0;
  console.log(
    `- ${CALLS} calls on one session, all at once: the server saw ${peak}, ${peak === CALLS ? 'met' : 'MISSED'}`,
  );
  const { median } = ratioSpread(cpuOf(records, LONGWIRE), cpuOf(records, BARE_LOOP));
  console.log(
    `- ${CALLS} calls in flight, at most ${BARE_LOOP_FACTOR} times the bare loop's CPU per call: ${againstTarget(median, median <= BARE_LOOP_FACTOR)}`,
  );
}
