/** A large result: how long it takes, and how much memory. Every sample is one of a new process. */
import { table, againstTarget, withSpread } from '../../report/markdown.mjs';
import { ratioSpread, spread } from '../../report/statistics.mjs';
import { LONGWIRE, OFFICIAL } from '../../sse-calls/contenders.mjs';
import { LARGE_RESULT } from '../contenders.mjs';

/** @typedef {import('../bench-server.mjs').BenchServer} BenchServer */
/** @typedef {import('./process.mjs').Sample} Sample */

/**
 * @typedef {object} Record
 * @property {(typeof LARGE_RESULT)[number]} contender
 * @property {Sample[]} samples by round
 * @property {string | undefined} failure
 */

const SAMPLE_TIMEOUT_MS = 90_000;

/** @param {BenchServer} server @param {number} rounds */
export async function measure(server, rounds) {
  /** @type {Record[]} */
  const records = LARGE_RESULT.map((contender) => ({ contender, samples: [], failure: undefined }));
  for (let round = 0; round < rounds; round++) {
    console.error(`recovery: large result, round ${round + 1} of ${rounds}`);
    for (let turn = 0; turn < records.length; turn++) {
      const record = records[(turn + round) % records.length];
      if (record) await take(server, record);
    }
  }
  const mebibytes = server.large.length / 2 ** 20;
  return {
    measured: records.every(({ failure }) => failure === undefined),
    report: () => report(records, { rounds, mebibytes }),
    targets: () => targets(records, mebibytes),
  };
}

/** @param {BenchServer} server @param {Record} record */
async function take(server, record) {
  if (record.failure !== undefined) return;
  try {
    const process = new URL('./process.mjs', import.meta.url);
    const child = await server.startContender(process, record.contender);
    try {
      const { sample } = await child.ask(server.large, SAMPLE_TIMEOUT_MS);
      record.samples.push(sample);
    } finally {
      child.kill();
    }
  } catch (error) {
    record.failure = error instanceof Error ? error.message : String(error);
    console.error(`recovery: ${record.contender.title} failed, ${record.failure}`);
  }
}

/** @param {readonly Record[]} records @param {(typeof LARGE_RESULT)[number]} contender */
const peaksOf = (records, contender) =>
  records
    .find((record) => record.contender === contender)
    ?.samples.map((sample) => sample.peakMiB) ?? [];

/**
 * @param {readonly Record[]} records
 * @param {{ rounds: number, mebibytes: number }} options
 */
function report(records, { rounds, mebibytes }) {
  console.log(`\n### A result of ${mebibytes} MiB\n`);
  console.log(
    `Medians of ${rounds} rounds (least–most); a ratio is taken within each round. Length and checksum of every result are right.\n`,
  );
  console.log(
    table(
      ['client', 'peak MiB above before', '× Longwire', 'ms', 'CPU ms'],
      records.map(({ contender, samples }) => {
        /** @param {keyof Sample} figure */
        const cell = (figure) => withSpread(spread(samples.map((sample) => sample[figure])), 0);
        const ratio = ratioSpread(peaksOf(records, contender), peaksOf(records, LONGWIRE));
        return [contender.title, cell('peakMiB'), withSpread(ratio, 2), cell('ms'), cell('cpuMs')];
      }),
    ),
  );
  for (const { contender, failure } of records) {
    if (failure !== undefined) console.log(`\n${contender.title} failed, ${failure}`);
  }
}

/** @param {readonly Record[]} records @param {number} mebibytes */
function targets(records, mebibytes) {
  for (const official of OFFICIAL) {
    const { median } = ratioSpread(peaksOf(records, LONGWIRE), peaksOf(records, official));
    console.log(
      `- a result of ${mebibytes} MiB, no more peak memory than ${official.title}: ${againstTarget(median, median <= 1, { unit: ' times' })}`,
    );
  }
}
