/**
 * What a tool call costs the client. All contenders call one server, each from a process of its
 * own, in interleaved rounds whose order rotates.
 */
import { Child } from './child.mjs';

/** @typedef {import('./contender.mjs').Contender} Contender */
/** @typedef {import('./contender-process.mjs').Sample} Sample */

/**
 * @typedef {object} Mode
 * @property {string} title
 * @property {number} inFlight
 * @property {number} [bareLoopFactor] the target: Longwire's CPU per call is at most this many times
 *   the bare loop's
 * @property {number} [officialFactor] the target: Longwire's CPU per call, times this, is at most an
 *   official client's
 *
 * @typedef {object} RunningServer
 * @property {string} target what every contender is given to reach it by
 * @property {() => Promise<void>} close
 *
 * @typedef {object} Comparison
 * @property {string} name as it stands in the progress
 * @property {string} [title] set it apart where a benchmark makes several
 * @property {() => Promise<RunningServer>} startServer
 * @property {readonly Contender[]} contenders
 * @property {Contender} bareLoop of the contenders: the floor of every ratio, whatever it is called
 * @property {Contender} [longwire] of the contenders
 * @property {readonly Contender[]} [official] of the contenders: those that the targets are about
 * @property {readonly Mode[]} modes
 */

/**
 * What was measured of a contender, by mode and round.
 *
 * @typedef {{ contender: Contender, samples: Map<Mode, Sample[]>, failure: string | undefined }} Measured
 */

/** @typedef {{ comparison: Comparison, records: readonly Measured[] }} Measurement */

/** @typedef {{ record: Measured, child: Child }} Runner a contender that is running */

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
 * @param {Comparison} comparison
 * @param {{ rounds: number, calls: number }} options calls a sample
 * @returns {Promise<Measurement>}
 */
export async function measure(comparison, { rounds, calls }) {
  /** @type {Measured[]} */
  const records = comparison.contenders.map((contender) => ({
    contender,
    samples: new Map(),
    failure: undefined,
  }));
  for (let first = 0; first < rounds; first += ROUNDS_PER_PROCESS) {
    const last = Math.min(first + ROUNDS_PER_PROCESS, rounds);
    console.error(`${comparison.name}: rounds ${first + 1} to ${last} of ${rounds}`);
    await measureRounds(comparison, records, { first, last, calls });
  }
  return { comparison, records };
}

/**
 * Whether every contender could be measured.
 *
 * @param {Measurement} measurement
 */
export const succeeded = ({ records }) => records.every(({ failure }) => failure === undefined);

/**
 * Starts a server in a process of its own that says by which URL it is reached.
 *
 * @param {URL} module
 * @param {readonly string[]} [args]
 * @returns {Promise<RunningServer>}
 */
export async function startServerProcess(module, args) {
  const child = new Child(module, args);
  try {
    const { url } = await child.ask(undefined, START_TIMEOUT_MS);
    return { target: url, close: () => child.close() };
  } catch (error) {
    child.kill();
    throw error;
  }
}

/**
 * Measures some rounds in processes of their own, the server's included.
 *
 * @param {Comparison} comparison
 * @param {readonly Measured[]} records
 * @param {{ first: number, last: number, calls: number }} options
 */
async function measureRounds({ name, modes, startServer }, records, { first, last, calls }) {
  const server = await startServer();
  /** @type {Runner[]} */
  const runners = [];
  try {
    for (const record of records) {
      if (record.failure === undefined) runners.push(await start(name, record, server.target));
    }
    for (const mode of modes) {
      const order = { inFlight: mode.inFlight, calls: WARM_UP_CALLS, capMs: WARM_UP_CAP_MS };
      for (const runner of runners) await sample(name, runner, mode, order);
    }
    for (let round = first; round < last; round++) {
      for (const mode of modes) {
        const order = { inFlight: mode.inFlight, calls, capMs: SAMPLE_CAP_MS };
        for (let turn = 0; turn < runners.length; turn++) {
          const runner = runners[(turn + round) % runners.length];
          const taken = runner && (await sample(name, runner, mode, order));
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
 * @param {string} name
 * @param {Measured} record
 * @param {string} target
 * @returns {Promise<Runner>}
 */
async function start(name, record, target) {
  const { href } = record.contender.module;
  const child = new Child(new URL('./contender-process.mjs', import.meta.url), [href, target]);
  const runner = { record, child };
  try {
    await child.ask(undefined, START_TIMEOUT_MS);
  } catch (error) {
    fail(name, runner, `did not start: ${messageOf(error)}`);
  }
  return runner;
}

/**
 * Takes one sample. A contender that fails or hangs is ended and measured no more.
 *
 * @param {string} name
 * @param {Runner} runner
 * @param {Mode} mode
 * @param {import('./contender-process.mjs').Order} order
 * @returns {Promise<Sample | undefined>}
 */
async function sample(name, runner, mode, order) {
  if (runner.record.failure !== undefined) return undefined;
  try {
    const answer = await runner.child.ask(order, SAMPLE_TIMEOUT_MS);
    return answer.sample;
  } catch (error) {
    fail(name, runner, `${mode.title.toLowerCase()}: ${messageOf(error)}`);
    return undefined;
  }
}

/** @param {string} name @param {Runner} runner @param {string} reason */
function fail(name, { record, child }, reason) {
  record.failure = reason;
  child.kill();
  console.error(`${name}: ${record.contender.title} failed, ${reason}`);
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));
