/**
 * What a server costs. Every measurement has a new process of the server and a new one of the load.
 */
import { Child } from '../calls/child.mjs';
import { spread } from '../report/statistics.mjs';
import { PEERS } from './peers.mjs';

/** @typedef {import('./contenders.mjs').Contender} Contender */
/** @typedef {import('./load-process.mjs').LoadOrder} LoadOrder */

/**
 * @typedef {object} Sample what was measured of a contender in one round; NaN where it could not be
 * @property {number} connectionsPerSecond
 * @property {number} rssKiB added by an idle session
 * @property {number} heapKiB added by an idle session
 * @property {number} callsPerSecond
 * @property {number} cpuUs CPU per call of the server's process, user and system, microseconds
 * @property {number} lastMs from a broadcast to the last session that hears it
 * @property {number} p99Ms the same for 99 of 100 sessions
 *
 * @typedef {object} Measured
 * @property {Contender} contender
 * @property {Sample[]} samples by round
 * @property {Set<string>} notes why figures are missing
 * @property {string | undefined} failure
 */

const START_TIMEOUT_MS = 30_000;
/** Longer than anything that is asked; beyond this the contender hangs. */
const ORDER_TIMEOUT_MS = 30_000;
/** No session is opened after this long, however few there are. */
const OPEN_CAP_MS = 12_000;
/** Sessions that are opened and closed before anything is counted. */
const WARM_UP_SESSIONS = 100;
/** Sessions over which the calls are spread. */
const CALLING_SESSIONS = 16;
const IN_FLIGHT = 32;
const WARM_UP_CALLS = 3000;
const WARM_UP_CAP_MS = 1500;
/** No call of a sample is started after this long, however few were made. */
const SAMPLE_CAP_MS = 3000;
const BROADCASTS = 5;
const BROADCAST_CAP_MS = 5000;

/** Of what a process wrote before it ended. */
const MAX_FAILURE_CHARS = 300;

/** What a contender is started with, by its role. @type {ReadonlyMap<string, string>} */
const VARIANTS = new Map([
  ['hibernating', 'hibernate'],
  ['reusing', 'reuse'],
]);

/** As servers run in production, which is what some of them look at. */
const ENVIRONMENT = { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' };

/**
 * Measures a contender once. A failure is written down, and it is measured no more.
 *
 * @param {Measured} record
 * @param {{ sessions: number, calls: number }} options
 */
export async function measureOnce(record, options) {
  if (record.failure !== undefined) return;
  const { contender } = record;
  const { module, transport, protocol, role } = contender;
  const serverUrl = new URL('./server-process.mjs', import.meta.url);
  const loadUrl = new URL('./load-process.mjs', import.meta.url);
  const variant = VARIANTS.get(role);
  const args = [module.href, transport, ...(variant === undefined ? [] : [variant])];
  const server = new Child(serverUrl, args, {
    execArgv: ['--expose-gc'],
    env: ENVIRONMENT,
    // Some peers write files where they are started.
    cwd: PEERS.folder,
  });
  /** @type {Child | undefined} */
  let load;
  try {
    const { url } = await server.ask(undefined, START_TIMEOUT_MS);
    load = new Child(loadUrl, [protocol, url]);
    await load.ask(undefined, START_TIMEOUT_MS);
    record.samples.push(await sampleOf({ record, server, load, ...options }));
  } catch (error) {
    record.failure = messageOf(error).slice(0, MAX_FAILURE_CHARS);
    console.error(`server: ${contender.title}, ${transport}, failed: ${record.failure}`);
  } finally {
    load?.kill();
    server.kill();
  }
}

/**
 * @typedef {{ record: Measured, server: Child, load: Child, sessions: number, calls: number }} Run
 *
 * @param {Run} run
 * @returns {Promise<Sample>}
 */
async function sampleOf(run) {
  const opened = await measureSessions(run);
  if (run.record.contender.role === 'hibernating') {
    const { rssKiB, heapKiB } = opened;
    return { ...NOTHING, rssKiB, heapKiB };
  }
  const heard = await measureBroadcasts(run);
  await tell(run.load, { do: 'close' });
  return { ...opened, ...heard, ...(await measureCalls(run)) };
}

/** @type {Readonly<Sample>} */
const NOTHING = {
  connectionsPerSecond: Number.NaN,
  rssKiB: Number.NaN,
  heapKiB: Number.NaN,
  callsPerSecond: Number.NaN,
  cpuUs: Number.NaN,
  lastMs: Number.NaN,
  p99Ms: Number.NaN,
};

/** @param {Run} run */
async function measureSessions({ record, server, load, sessions }) {
  const keepsNothing = record.contender.protocol === 'without-session';
  await tell(load, { do: 'open', sessions: WARM_UP_SESSIONS, capMs: OPEN_CAP_MS });
  if (!keepsNothing) await tell(load, { do: 'listen' });
  await tell(load, { do: 'close' });
  // Some keep a session that lost its stream for a while: it hibernates like the others.
  await server.ask('hibernated', ORDER_TIMEOUT_MS);
  const before = await server.ask('memory', ORDER_TIMEOUT_MS);
  const { opened, elapsedMs } = await tell(load, { do: 'open', sessions, capMs: OPEN_CAP_MS });
  const connectionsPerSecond = (opened / elapsedMs) * 1000;
  if (opened < sessions)
    record.notes.add(`a round had only ${opened} sessions after ${OPEN_CAP_MS / 1000} s`);
  if (keepsNothing) return { connectionsPerSecond, rssKiB: Number.NaN, heapKiB: Number.NaN };
  await tell(load, { do: 'listen' });
  await server.ask('hibernated', ORDER_TIMEOUT_MS);
  const after = await server.ask('memory', ORDER_TIMEOUT_MS);
  return {
    connectionsPerSecond,
    rssKiB: (after.rssKiB - before.rssKiB) / opened,
    heapKiB: (after.heapKiB - before.heapKiB) / opened,
  };
}

/** @param {Run} run */
async function measureBroadcasts({ record, server, load }) {
  const nothing = { lastMs: Number.NaN, p99Ms: Number.NaN };
  if (record.contender.protocol === 'without-session') return nothing;
  /** @type {{ lastMs: number, p99Ms: number }[]} */
  const broadcasts = [];
  try {
    for (let turn = 0; turn < BROADCASTS; turn++) {
      await tell(load, { do: 'expect' });
      const { startedAt } = await server.ask('broadcast', ORDER_TIMEOUT_MS);
      broadcasts.push(await tell(load, { do: 'heard', since: startedAt, capMs: BROADCAST_CAP_MS }));
    }
  } catch (error) {
    record.notes.add(`no broadcast: ${messageOf(error)}`);
    return nothing;
  }
  return {
    lastMs: spread(broadcasts.map(({ lastMs }) => lastMs)).median,
    p99Ms: spread(broadcasts.map(({ p99Ms }) => p99Ms)).median,
  };
}

/** @param {Run} run */
async function measureCalls({ server, load, calls }) {
  const order = /** @type {const} */ ({ do: 'calls', inFlight: IN_FLIGHT });
  await tell(load, { do: 'open', sessions: CALLING_SESSIONS, capMs: OPEN_CAP_MS });
  await tell(load, { ...order, calls: WARM_UP_CALLS, capMs: WARM_UP_CAP_MS });
  const before = await server.ask('cpu', ORDER_TIMEOUT_MS);
  const made = await tell(load, { ...order, calls, capMs: SAMPLE_CAP_MS });
  const after = await server.ask('cpu', ORDER_TIMEOUT_MS);
  return {
    callsPerSecond: (made.calls / made.elapsedMs) * 1000,
    cpuUs: (after.cpuUs - before.cpuUs) / made.calls,
  };
}

/** @param {Child} load @param {LoadOrder} order @returns {Promise<any>} */
const tell = (load, order) => load.ask(order, ORDER_TIMEOUT_MS);

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));
