/** A group of many servers: how long it takes until all are there, and the memory it takes. */
import { Child } from '../../calls/child.mjs';
import { table, withSpread } from '../../report/markdown.mjs';
import { spread } from '../../report/statistics.mjs';

/** @typedef {import('./process.mjs').Sample} Sample */

const SERVERS = 50;
const START_TIMEOUT_MS = 15_000;
const SAMPLE_TIMEOUT_MS = 30_000;

/** @param {number} rounds */
export async function measure(rounds) {
  /** @type {Sample[]} */
  const samples = [];
  /** @type {string | undefined} */
  let failure;
  console.error(`around-calls, a group: rounds 1 to ${rounds}`);
  const servers = new Child(new URL('../../http-calls/server.mjs', import.meta.url), [
    '2025-11-25',
    'json',
    String(SERVERS),
  ]);
  try {
    const { urls } = await servers.ask(undefined, START_TIMEOUT_MS);
    for (let round = 0; round < rounds; round++) samples.push(await take(urls));
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    console.error(`around-calls, a group: failed, ${failure}`);
  } finally {
    await servers.close();
  }
  return { measured: failure === undefined, report: () => report(samples, failure) };
}

/**
 * One sample, of a new process.
 *
 * @param {readonly string[]} urls
 * @returns {Promise<Sample>}
 */
async function take(urls) {
  const child = new Child(new URL('./process.mjs', import.meta.url), [], {
    execArgv: ['--expose-gc'],
  });
  try {
    await child.ask(undefined, START_TIMEOUT_MS);
    const { sample } = await child.ask(urls, SAMPLE_TIMEOUT_MS);
    return sample;
  } finally {
    await child.close();
  }
}

/** @param {readonly Sample[]} samples @param {string | undefined} failure */
function report(samples, failure) {
  console.log(`\n### A group of ${SERVERS} servers\n`);
  console.log(`Medians of ${samples.length} new processes (least–most).\n`);
  /** @param {keyof Sample} figure @param {number} [digits] */
  const cell = (figure, digits = 0) =>
    withSpread(spread(samples.map((sample) => sample[figure])), digits);
  const rows = [
    ['from `createGroup` to all connected, ms', cell('connectMs')],
    ['to list the tools of all, ms', cell('listMs', 1)],
    ['CPU for both, ms', cell('cpuMs')],
    ['RSS added per server, KiB', cell('rssKiB')],
    ['heap added per server, KiB', cell('heapKiB')],
  ];
  console.log(table(['figure', 'group'], rows));
  if (failure !== undefined) console.log(`\nThe group failed, ${failure}`);
}
