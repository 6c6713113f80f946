/**
 * The clients of the trial, in a process of their own that ends with its parent. Started with where
 * the server listens; does one thing after the other, as it is asked.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { percentile } from '../../bench/report/statistics.mjs';
import { BusySessions } from './busy-sessions.mjs';
import { closeConnections } from './http-requests.mjs';
import { SlowReader } from './slow-reader.mjs';
import { SseSession } from './sse-session.mjs';
import { StreamableSession } from './streamable-session.mjs';

/** How many sessions are being opened at a time. */
const OPENING = 50;
/** Clients have so many addresses, so that there are ports enough. */
const ADDRESSES = 8;

/** @type {{ sseUrl: string, mcpUrl: string, heartbeatMs: number }} */
const { sseUrl, mcpUrl, heartbeatMs } = JSON.parse(process.argv[2] ?? '{}');

/** @type {SseSession[]} */
let idle = [];
/** @type {(SseSession | StreamableSession)[]} */
let callers = [];
/** @type {BusySessions | undefined} */
let busy;
/** @type {SlowReader | undefined} */
let slowReader;
/** @type {number[]} */
let gapsMs = [];

/** A loop that is never late measures this, too. */
const RESOLUTION_MS = 10;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();

/** @type {Record<string, (argument: any) => Promise<object>>} */
const ACTIONS = {
  /** Opens idle sessions; through `url` where something stands in between. */
  async open({ count, url = sseUrl }) {
    const onHeartbeat = (/** @type {number} */ gapMs) => gapsMs.push(gapMs);
    const opened = await openMany(count, (localAddress) =>
      SseSession.open(url, { localAddress, onHeartbeat }),
    );
    idle.push(...opened);
    return { opened: opened.length };
  },
  async openBusy({ count }) {
    const overStreamable = count >> 1;
    callers = await openMany(count - overStreamable, (localAddress) =>
      SseSession.open(sseUrl, { localAddress }),
    );
    callers.push(...(await openMany(overStreamable, () => StreamableSession.open(mcpUrl))));
    busy = new BusySessions(callers);
    busy.start();
    return { opened: callers.length };
  },
  /** What the idle sessions heard since they were asked before. */
  async heartbeats() {
    const lateMs = gapsMs.map((gapMs) => Math.max(0, gapMs - heartbeatMs)).sort((a, b) => a - b);
    const silent = idle.filter(({ heartbeats }) => heartbeats === 0).length;
    const report = {
      heard: idle.reduce((sum, { heartbeats }) => sum + heartbeats, 0),
      silent,
      closed: idle.filter(({ isClosed }) => isClosed).length,
      lateP50Ms: percentile(lateMs, 0.5),
      lateP99Ms: percentile(lateMs, 0.99),
      lateMaxMs: lateMs.at(-1) ?? Number.NaN,
      // A client that is late itself hears late.
      ownDelayP99Ms: Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS),
    };
    delays.reset();
    gapsMs = [];
    for (const session of idle) session.listenAnew();
    return report;
  },
  async calls() {
    return busy?.report() ?? {};
  },
  async startSlowReader() {
    const [localAddress] = addresses(1);
    slowReader = new SlowReader(
      await SseSession.open(sseUrl, { localAddress: localAddress ?? '' }),
    );
    slowReader.start();
    return {};
  },
  async stopSlowReader() {
    await slowReader?.stop();
    return { calls: slowReader?.calls, refusedWith: slowReader?.refusedWith };
  },
  async stopBusy() {
    await busy?.stop();
    return busy?.report() ?? {};
  },
  /** Everybody leaves in good order. */
  async leave() {
    const leaving = [...idle, ...callers];
    [idle, callers] = [[], []];
    await Promise.all(leaving.map((session) => session.leave()));
    closeConnections();
    return {};
  },
  /** All idle sessions vanish: `reset`, `silent`, or `drop` their end where the proxy keeps the other. */
  async vanish({ how }) {
    const vanishing = idle;
    idle = [];
    if (how === 'silent') silent.push(...vanishing);
    for (const session of vanishing) {
      if (how === 'reset') session.reset();
      else if (how === 'silent') session.stopReading();
      else session.drop();
    }
    return { vanished: vanishing.length };
  },
  /** Opens sessions over Streamable HTTP that are never used again. */
  async openUnused({ count }) {
    const opened = await openMany(count, () => StreamableSession.open(mcpUrl));
    closeConnections();
    return { opened: opened.length };
  },
  /** Ends the connections of silent clients. */
  async endSilence() {
    for (const session of silent) session.drop();
    return {};
  },
};

/** Silent clients: their sockets must not be collected. @type {SseSession[]} */
const silent = [];

process.on('disconnect', () => process.exit());
process.on('message', (/** @type {{ action: string }} */ { action, ...argument }) => {
  const done = ACTIONS[action]?.(argument) ?? Promise.reject(new Error(`no action ${action}`));
  done.then(
    (answer) => process.send?.(answer),
    (/** @type {Error} */ error) => process.send?.({ error: `${action}: ${error.stack}` }),
  );
});

/**
 * @template Session
 * @param {number} count
 * @param {(localAddress: string) => Promise<Session>} open
 * @returns {Promise<Session[]>}
 */
async function openMany(count, open) {
  const waiting = addresses(count);
  /** @type {Session[]} */
  const opened = [];
  const openNext = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      opened.push(await open(next));
    }
  };
  await Promise.all(Array.from({ length: OPENING }, openNext));
  return opened;
}

/** @param {number} count */
function addresses(count) {
  return Array.from({ length: count }, (_, index) => `127.0.0.${2 + (index % ADDRESSES)}`);
}
