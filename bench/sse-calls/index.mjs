/**
 * `sse-calls`: what a tool call over HTTP+SSE costs the client. All contenders call one server
 * process, each from a process of its own, in interleaved rounds whose order rotates.
 */
import { machine, table, verdict, withSpread } from '../report/markdown.mjs';
import { ratioSpread, spread } from '../report/statistics.mjs';
import { Child } from './child.mjs';
import { BARE_LOOP, CONTENDERS, LONGWIRE, OFFICIAL } from './contenders.mjs';

/** @typedef {import('./contenders.mjs').Contender} Contender */
/** @typedef {import('./contender-process.mjs').Sample} Sample */

/**
 * @typedef {object} Mode
 * @property {string} title
 * @property {number} inFlight
 * @property {number} officialFactor the target: Longwire's CPU per call, times this, is at most an
 *   official client's
 */

/** @type {readonly Mode[]} */
const MODES = [
  { title: 'Sequential', inFlight: 1, officialFactor: 5 },
  { title: '32 calls in flight', inFlight: 32, officialFactor: 8 },
];

/** The target: Longwire's CPU per call is at most this many times the bare loop's. */
const BARE_LOOP_FACTOR = 1.5;

/** No sample starts another call after this long, however few it made. */
const SAMPLE_CAP_MS = 4000;
/** Enough for the compiler to have settled on what it makes of the fastest contenders. */
const WARM_UP_CALLS = 10_000;
const WARM_UP_CAP_MS = 2500;
/**
 * Then all processes are started anew: how a process compiles the code, and what its garbage
 * collector keeps for long, is decided early and by chance.
 */
const ROUNDS_PER_PROCESS = 5;
const START_TIMEOUT_MS = 15_000;
/** For a sample and the calls before it that are not counted; beyond this the contender hangs. */
const SAMPLE_TIMEOUT_MS = 2 * SAMPLE_CAP_MS + 10_000;

/**
 * @typedef {object} Options
 * @property {number} rounds
 * @property {number} calls a sample
 * @property {readonly Contender[]} [contenders]
 */

/**
 * What was measured of a contender, by mode and round.
 *
 * @typedef {{ contender: Contender, samples: Map<Mode, Sample[]>, failure: string | undefined }} Measured
 */

/** @typedef {{ record: Measured, child: Child }} Runner a contender that is running */

/**
 * @param {Options} options
 * @returns {Promise<boolean>} whether every contender could be measured
 */
export async function run({ rounds, calls, contenders = CONTENDERS }) {
  /** @type {Measured[]} */
  const records = contenders.map((contender) => ({
    contender,
    samples: new Map(),
    failure: undefined,
  }));
  for (let first = 0; first < rounds; first += ROUNDS_PER_PROCESS) {
    const last = Math.min(first + ROUNDS_PER_PROCESS, rounds);
    console.error(`sse-calls: rounds ${first + 1} to ${last} of ${rounds}`);
    await measureRounds(records, { first, last, calls });
  }
  report(records, { rounds, calls });
  return records.every(({ failure }) => failure === undefined);
}

/**
 * Measures some rounds in processes of their own, the server's included.
 *
 * @param {readonly Measured[]} records
 * @param {{ first: number, last: number, calls: number }} options
 */
async function measureRounds(records, { first, last, calls }) {
  const server = new Child(new URL('./server.mjs', import.meta.url));
  /** @type {Runner[]} */
  const runners = [];
  try {
    const { url } = await server.ask(undefined, START_TIMEOUT_MS);
    for (const record of records) {
      if (record.failure === undefined) runners.push(await start(record, url));
    }
    for (const mode of MODES) {
      const order = { inFlight: mode.inFlight, calls: WARM_UP_CALLS, capMs: WARM_UP_CAP_MS };
      for (const runner of runners) await sample(runner, mode, order);
    }
    for (let round = first; round < last; round++) {
      for (const mode of MODES) {
        const order = { inFlight: mode.inFlight, calls, capMs: SAMPLE_CAP_MS };
        for (let turn = 0; turn < runners.length; turn++) {
          const runner = runners[(turn + round) % runners.length];
          const taken = runner && (await sample(runner, mode, order));
          if (!taken) continue;
          const samples = runner.record.samples.get(mode) ?? [];
          samples.push(taken);
          runner.record.samples.set(mode, samples);
        }
      }
    }
  } finally {
    await Promise.all([...runners.map(({ child }) => child.close()), server.close()]);
  }
}

/**
 * @param {Measured} record
 * @param {string} url
 * @returns {Promise<Runner>}
 */
async function start(record, url) {
  const { href } = record.contender.module;
  const child = new Child(new URL('./contender-process.mjs', import.meta.url), [href, url]);
  const runner = { record, child };
  try {
    await child.ask(undefined, START_TIMEOUT_MS);
  } catch (error) {
    fail(runner, `did not start: ${messageOf(error)}`);
  }
  return runner;
}

/**
 * Takes one sample. A contender that fails or hangs is ended and measured no more.
 *
 * @param {Runner} runner
 * @param {Mode} mode
 * @param {import('./contender-process.mjs').Order} order
 * @returns {Promise<Sample | undefined>}
 */
async function sample(runner, mode, order) {
  if (runner.record.failure !== undefined) return undefined;
  try {
    const answer = await runner.child.ask(order, SAMPLE_TIMEOUT_MS);
    return answer.sample;
  } catch (error) {
    fail(runner, `${mode.title.toLowerCase()}: ${messageOf(error)}`);
    return undefined;
  }
}

/** @param {Runner} runner @param {string} reason */
function fail({ record, child }, reason) {
  record.failure = reason;
  child.kill();
  console.error(`sse-calls: ${record.contender.title} failed, ${reason}`);
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * @param {readonly Measured[]} records
 * @param {{ rounds: number, calls: number }} options
 */
function report(records, { rounds, calls }) {
  const bareLoop = records.find(({ contender }) => contender === BARE_LOOP);
  const longwire = records.find(({ contender }) => contender === LONGWIRE);
  console.log(`\n${machine()}`);
  console.log(
    `Medians of ${rounds} rounds of up to ${calls} calls (least–most); a ratio is taken within each round.`,
  );
  for (const mode of MODES) {
    console.log(`\n### ${mode.title}\n`);
    console.log(
      table(
        [
          'client',
          'CPU µs/call',
          '× bare loop',
          ...(longwire ? ['× Longwire'] : []),
          'calls/s',
          'p50 µs',
          'p99 µs',
          'RSS MiB',
        ],
        records.map((record) => {
          const samples = record.samples.get(mode) ?? [];
          /** @param {keyof Sample} figure @param {number} [digits] */
          const cell = (figure, digits = 0) =>
            withSpread(spread(samples.map((sample) => sample[figure])), digits);
          return [
            record.contender.title,
            cell('cpuUs'),
            withSpread(cpuRatio(record, bareLoop, mode), 2),
            ...(longwire ? [withSpread(cpuRatio(record, longwire, mode), 2)] : []),
            cell('callsPerSecond'),
            cell('p50Us'),
            cell('p99Us'),
            cell('rssMiB'),
          ];
        }),
      ),
    );
  }
  for (const { contender, failure } of records) {
    if (failure !== undefined) console.log(`\n${contender.title} failed, ${failure}`);
  }
  if (longwire && bareLoop) reportTargets(records, longwire, bareLoop);
}

/**
 * CPU per call of one by that of another.
 *
 * @param {Measured | undefined} of
 * @param {Measured | undefined} to
 * @param {Mode} mode
 */
function cpuRatio(of, to, mode) {
  /** @param {Measured | undefined} record */
  const cpu = (record) => (record?.samples.get(mode) ?? []).map(({ cpuUs }) => cpuUs);
  return ratioSpread(cpu(of), cpu(to));
}

/**
 * @param {readonly Measured[]} records
 * @param {Measured} longwire
 * @param {Measured} bareLoop
 */
function reportTargets(records, longwire, bareLoop) {
  console.log('\n### Targets\n');
  for (const mode of MODES) {
    const name = mode.title.toLowerCase();
    const { median } = cpuRatio(longwire, bareLoop, mode);
    const limit = `at most ${BARE_LOOP_FACTOR} times the bare loop's CPU per call`;
    console.log(`- ${name}, ${limit}: ${verdict(median, median <= BARE_LOOP_FACTOR)}`);
    for (const record of records) {
      if (!OFFICIAL.includes(record.contender)) continue;
      const factor = cpuRatio(record, longwire, mode).median;
      const limit = `at most 1/${mode.officialFactor} of the CPU per call of ${record.contender.title}`;
      console.log(
        `- ${name}, ${limit}: ${verdict(factor, factor >= mode.officialFactor, { prefix: '1/' })}`,
      );
    }
  }
}
