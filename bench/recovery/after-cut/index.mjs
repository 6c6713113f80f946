/**
 * From a cut to the next successful call: the server drops the stream, a safe call is made at once,
 * and again whenever it fails.
 */
import { table, againstTarget, withSpread } from '../../report/markdown.mjs';
import { percentile, spread } from '../../report/statistics.mjs';
import { AFTER_CUT } from '../contenders.mjs';

/** @typedef {import('../../calls/child.mjs').Child} Child */
/** @typedef {import('../bench-server.mjs').BenchServer} BenchServer */

/**
 * @typedef {object} Mode
 * @property {string} title
 * @property {number} inFlight safe calls that are in flight when the stream is cut
 *
 * @typedef {import('./process.mjs').Recovery & { sessions: number }} Sample with the sessions that
 *   were opened for it
 *
 * @typedef {object} Record
 * @property {(typeof AFTER_CUT)[number]} contender
 * @property {Map<Mode, Sample[]>} samples
 * @property {Child | undefined} child
 * @property {string | undefined} failure
 */

/** @type {readonly Mode[]} */
const MODES = [
  { title: 'idle', inFlight: 0 },
  { title: '8 calls are in flight', inFlight: 8 },
];
/** The target: the call succeeds at most so long after the configured first delay. */
const MARGIN_MS = 50;
/** How long a call in flight takes; it is cut off before that. */
const HOLD_MS = 300;
const GIVE_UP_MS = 10_000;
/** Whoever did not recover so often is not asked again. */
const HOPELESS = 2;
/** Beyond this the contender hangs. */
const ORDER_TIMEOUT_MS = 2 * GIVE_UP_MS;

/** @param {BenchServer} server @param {number} rounds */
export async function measure(server, rounds) {
  /** @type {Record[]} */
  const records = AFTER_CUT.map((contender) => ({
    contender,
    samples: new Map(MODES.map((mode) => [mode, []])),
    child: undefined,
    failure: undefined,
  }));
  try {
    for (let round = 0; round < rounds; round++) {
      console.error(`recovery: cut ${round + 1} of ${rounds}`);
      for (const mode of MODES) {
        for (let turn = 0; turn < records.length; turn++) {
          const record = records[(turn + round) % records.length];
          if (record) await take(server, record, mode);
        }
      }
    }
  } finally {
    await Promise.all(records.flatMap(({ child }) => (child ? [child.close()] : [])));
  }
  return {
    measured: records.every(({ failure }) => failure === undefined),
    report: () => report(records, rounds),
    targets: () => targets(records),
  };
}

/** @param {readonly Sample[]} samples */
const lost = (samples) => samples.filter(({ ms }) => ms === undefined).length;

/**
 * Takes one sample.
 *
 * @param {BenchServer} server
 * @param {Record} record
 * @param {Mode} mode
 */
async function take(server, record, mode) {
  const samples = record.samples.get(mode) ?? [];
  if (record.failure !== undefined || lost(samples) >= HOPELESS) return;
  const { contender } = record;
  const { id } = contender;
  try {
    record.child ??= await server.startContender(
      new URL('./process.mjs', import.meta.url),
      contender,
    );
    const { child } = record;
    await child.ask({ type: 'hold', calls: mode.inFlight, ms: HOLD_MS }, ORDER_TIMEOUT_MS);
    const { opened } = await server.count(id);
    const cutAtNs = await server.cut(id, mode.inFlight);
    const order = { type: 'recover', cutAtNs, limitMs: GIVE_UP_MS };
    const recovery = await child.ask(order, ORDER_TIMEOUT_MS);
    const after = await server.count(id);
    samples.push({ ...recovery, sessions: after.opened - opened });
    if (recovery.ms === undefined) replace(record);
    else if (after.open !== 1) throw new Error(`it left ${after.open} streams open`);
  } catch (error) {
    record.failure = error instanceof Error ? error.message : String(error);
    replace(record);
    console.error(`recovery: ${contender.title} failed, ${record.failure}`);
  }
}

/** The next sample is one of a new process. @param {Record} record */
function replace(record) {
  record.child?.kill();
  record.child = undefined;
}

/** @param {readonly number[]} values */
const p99 = (values) =>
  percentile(
    values.toSorted((a, b) => a - b),
    0.99,
  );

/** @param {readonly Sample[]} samples */
const timesOf = (samples) => samples.flatMap(({ ms }) => (ms === undefined ? [] : [ms]));

/** @param {readonly Record[]} records @param {number} rounds */
function report(records, rounds) {
  console.log('\n### From a cut to the next successful call\n');
  console.log(`Medians of ${rounds} cuts each (least–most).`);
  for (const mode of MODES) {
    console.log(`\n#### Cut while ${mode.title}\n`);
    const head = ['client', 'recovered', 'ms', 'p99 ms', 'above the first delay', 'tries'];
    if (mode.inFlight > 0) head.push('of the calls in flight succeeded');
    head.push('sessions opened');
    console.log(
      table(
        head,
        records.map((record) => row(record, mode)),
      ),
    );
  }
  for (const { contender, samples, failure } of records) {
    const unrecovered = [...samples.values()].flat().findLast(({ ms }) => ms === undefined);
    if (unrecovered) {
      const seconds = GIVE_UP_MS / 1000;
      console.log(
        `\n${contender.title} did not recover within ${seconds} s; its last call failed with: ${unrecovered.failure}`,
      );
    }
    if (failure !== undefined) console.log(`\n${contender.title} failed, ${failure}`);
  }
}

/** @param {Record} record @param {Mode} mode */
function row({ contender, samples }, mode) {
  const taken = samples.get(mode) ?? [];
  const times = timesOf(taken);
  const { firstDelayMs } = contender;
  const above = firstDelayMs === undefined ? [] : times.map((ms) => ms - firstDelayMs);
  /** @param {'tries' | 'sessions' | 'heldSucceeded'} figure */
  const cell = (figure) => withSpread(spread(taken.map((sample) => sample[figure])), 0);
  return [
    contender.title,
    `${times.length} of ${taken.length}`,
    lost(taken) > 0 && times.length === 0 ? 'did not recover' : withSpread(spread(times), 1),
    times.length > 0 ? p99(times).toFixed(1) : '–',
    withSpread(spread(above), 1),
    cell('tries'),
    ...(mode.inFlight > 0 ? [`${cell('heldSucceeded')} of ${mode.inFlight}`] : []),
    cell('sessions'),
  ];
}

/** @param {readonly Record[]} records */
function targets(records) {
  for (const { contender, samples } of records) {
    if (contender.firstDelayMs === undefined) continue;
    for (const mode of MODES) {
      const taken = samples.get(mode) ?? [];
      const { median } = spread(timesOf(taken));
      const above = median - contender.firstDelayMs;
      const name = `cut while ${mode.title}, first delay ${contender.firstDelayMs} ms`;
      console.log(
        `- ${name}, the next call at most ${MARGIN_MS} ms above it: ${againstTarget(above, above <= MARGIN_MS, { unit: ' ms' })}`,
      );
      const first = taken.filter(
        ({ ms, tries, heldSucceeded }) =>
          ms !== undefined && tries === 1 && heldSucceeded === mode.inFlight,
      ).length;
      const outcome =
        taken.length === 0
          ? 'not measured'
          : `${first} of ${taken.length} cuts, ${first === taken.length ? 'met' : 'MISSED'}`;
      console.log(`- ${name}, every call succeeds without being made again: ${outcome}`);
    }
  }
}
