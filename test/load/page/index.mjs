/**
 * `npm run load -- page [--seconds N]`: the page in Chromium, over servers that send events and are called.
 */
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../../../bench/calls/child.mjs';
import { percentile, spread } from '../../../bench/report/statistics.mjs';
import { ms } from '../report.mjs';
import { OpenBrowser } from './browser.mjs';

export const EVENTS_PER_SECOND = 2000;
export const CALLS_PER_SECOND = 500;
/**
 * Calls of watched servers and of others take turns, each for so long, at least so often: what disturbs
 * the machine disturbs both alike.
 */
const TURN_SECONDS = 1;
const MIN_TURNS = 15;
/** What a page that was open for long may take more than one that is new. */
const MAY_GROW = 1.25;
const MAY_GROW_BYTES = 8 * 1024 * 1024;
/** A frame of the page at its worst: the next one is missed, and not more. */
const FRAME_P95_MS = 34;
const MAY_BE_SLOWER = 1.05;
const STEP_MS = 60_000;

/**
 * @typedef {'plain' | 'watched'} Group
 * @typedef {{ latenciesMs: number[], cpuMs: number }} Run
 * @typedef {import('../report.mjs').Report} Report
 */

/** @param {string[]} args @returns {number} for how long the page is looked at, in seconds @throws TypeError */
export function readPageArguments(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '300' } } });
  const seconds = Number(values.seconds);
  if (Number.isSafeInteger(seconds) && seconds >= 20) return seconds;
  throw new TypeError(`--seconds: not a whole number from 20 on: ${values.seconds}`);
}

/**
 * Events and calls for some minutes: frames and memory stay flat, and no event is lost. Then calls of
 * servers that are watched and of others in turn, with the same events: they are as fast.
 *
 * @param {number} seconds
 * @param {Report} report
 */
export async function page(seconds, report) {
  report.title(`the page, ${EVENTS_PER_SECOND} events and ${CALLS_PER_SECOND} calls a second`);
  const [load = NaN] = loadavg();
  // The latencies below are those of the machine where others use it.
  report.line('load of the machine before', `${load.toFixed(1)}, ${availableParallelism()} cores`);
  const servers = new Child(new URL('./servers.mjs', import.meta.url));
  const urls = await servers.ask(undefined, STEP_MS);
  const callers = new Child(new URL('./callers.mjs', import.meta.url), [JSON.stringify(urls)]);
  /** @type {OpenBrowser | undefined} */
  let browser;
  try {
    const { url } = await callers.ask(undefined, STEP_MS);
    browser = await OpenBrowser.open(url);
    const trial = new Trial(servers, callers);
    await flat(trial, browser, { seconds, report });
    await asFast(trial, { turns: Math.max(MIN_TURNS, Math.round(seconds / 5)), report });
    await nothingLost(trial, browser, report);
  } finally {
    await browser?.close();
    await Promise.all([callers.close(), servers.close()]);
  }
}

/** The servers and those who call them. */
class Trial {
  #servers;
  #callers;

  /** @param {Child} servers @param {Child} callers */
  constructor(servers, callers) {
    this.#servers = servers;
    this.#callers = callers;
  }

  /**
   * Events and calls for a time.
   *
   * @param {Group} group
   * @param {number} seconds
   * @returns {Promise<Run>} how long the calls took, and the CPU of who made them
   */
  async run(group, seconds) {
    await this.#servers.ask({ group, eventsPerSecond: EVENTS_PER_SECOND }, STEP_MS);
    const asked = { group, callsPerSecond: CALLS_PER_SECOND, seconds };
    const run = await this.#callers.ask(asked, seconds * 2000 + STEP_MS);
    await this.#servers.ask({ group, eventsPerSecond: 0 }, STEP_MS);
    return run;
  }

  /** @returns {Promise<Record<Group, number>>} how many events were sent */
  sent() {
    return this.#servers.ask('sent', STEP_MS);
  }

  /** What came of them. */
  counted() {
    return this.#callers.ask('counted', STEP_MS);
  }
}

/**
 * @param {Trial} trial
 * @param {OpenBrowser} browser
 * @param {{ seconds: number, report: Report }} options
 */
async function flat(trial, browser, { seconds, report }) {
  // Until the lists of the page are as long as they become, and the code is compiled.
  const fifth = Math.max(10, Math.round(seconds / 5));
  await trial.run('watched', fifth);
  await browser.frames();
  await trial.run('watched', fifth);
  const first = await browser.frames();
  const heapBefore = await browser.heapBytes();
  for (let part = 2; part < 4; part++) await trial.run('watched', fifth);
  await browser.frames();
  await trial.run('watched', fifth);
  const last = await browser.frames();
  const heapAfter = await browser.heapBytes();
  frames(report, 'frames of the page, at the beginning', first);
  const p95 = frames(report, 'frames of the page, at the end', last);
  report.line('heap of the page', `${mib(heapBefore)}, ${mib(heapAfter)}`);
  const before = percentile(
    first.toSorted((a, b) => a - b),
    0.95,
  );
  report.promise(p95 <= FRAME_P95_MS, `19 of 20 frames take at most ${FRAME_P95_MS} ms`);
  report.promise(p95 <= before * MAY_GROW, 'frames take no longer at the end');
  report.promise(
    heapAfter <= heapBefore * MAY_GROW + MAY_GROW_BYTES,
    'the page holds no more memory at the end',
  );
}

/** @param {Trial} trial @param {{ turns: number, report: Report }} options */
async function asFast(trial, { turns, report }) {
  /** @type {Record<Group, Run[]>} */
  const runs = { plain: [], watched: [] };
  await trial.run('plain', TURN_SECONDS);
  for (let turn = 0; turn < turns; turn++) {
    /** @type {Group[]} */
    const order = turn % 2 === 0 ? ['plain', 'watched'] : ['watched', 'plain'];
    for (const group of order) runs[group].push(await trial.run(group, TURN_SECONDS));
  }
  const sorted = (/** @type {Group} */ group) =>
    runs[group].flatMap(({ latenciesMs }) => latenciesMs).toSorted((a, b) => a - b);
  const [plain, watched] = [sorted('plain'), sorted('watched')];
  const [p50, p95] = [0.5, 0.95].map((share) => {
    const [without = NaN, with_ = NaN] = [plain, watched].map((of) => percentile(of, share));
    const name = `latency of calls, p${share * 100}`;
    report.line(name, `${ms(without)}, watched ${ms(with_)}: ${times(with_ / without)}`);
    return with_ / without;
  });
  const cpu = (/** @type {Group} */ group) => spread(runs[group].map(({ cpuMs }) => cpuMs)).median;
  const used = `${ms(cpu('plain'))}, watched ${ms(cpu('watched'))}`;
  report.line('CPU of who calls, in a turn', used);
  const slower = Math.max(p50 ?? NaN, p95 ?? NaN);
  report.promise(slower <= MAY_BE_SLOWER, 'calls of watched servers take at most 5 % longer');
}

/** @param {Trial} trial @param {OpenBrowser} browser @param {Report} report */
async function nothingLost(trial, browser, report) {
  // What was sent last is on its way.
  await delay(3_000);
  const sent = await trial.sent();
  const counted = await trial.counted();
  const shown = await browser.events();
  report.line(
    'events sent, counted, shown, lost',
    `${sent.watched}, ${counted.events}, ${shown.events}, ${shown.lost}`,
  );
  report.line('calls that ended, in flight', `${counted.calls}, ${counted.inFlight}`);
  report.promise(
    counted.events + counted.lost === sent.watched,
    'every event that was sent is counted',
  );
  report.promise(
    shown.events + shown.lost >= sent.watched,
    'every event is shown, or counted as lost',
  );
}

/** @param {Report} report @param {string} name @param {number[]} framesMs @returns {number} p95 */
function frames(report, name, framesMs) {
  const sorted = framesMs.toSorted((a, b) => a - b);
  const [p50 = NaN, p95 = NaN, p99 = NaN] = [0.5, 0.95, 0.99].map((of) => percentile(sorted, of));
  report.line(name, `p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, of ${sorted.length}`);
  return p95;
}

/** @param {number} ratio */
function times(ratio) {
  return `${ratio.toFixed(2)} times`;
}

/** @param {number} bytes */
function mib(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
