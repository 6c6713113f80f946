/**
 * The load, a process of its own for each measurement: a client that does the fewest steps that the
 * protocol allows, the same for every contender. Takes its orders over the channel to its parent,
 * and ends with it.
 *
 * Arguments of the process: how the server is spoken to, and its URL.
 */
import { percentile } from '../report/statistics.mjs';
import { sharedNow } from './clock.mjs';
import { Http } from './load/http.mjs';
import { connect as connectSse } from './load/sse.mjs';
import { connect as connectStateless } from './load/stateless.mjs';
import { connect as connectStreamable, connectWithoutSession } from './load/streamable.mjs';

/** @typedef {import('./load/session.mjs').Session} Session */

/**
 * @typedef {'sse' | 'streamable' | 'stateless' | 'without-session'} Protocol
 *
 * @typedef {{ do: 'open', sessions: number, capMs: number }} OpenOrder
 * @typedef {{ do: 'calls', inFlight: number, calls: number, capMs: number }} CallsOrder
 * @typedef {{ do: 'heard', since: number, capMs: number }} HeardOrder
 * @typedef {OpenOrder | CallsOrder | HeardOrder | { do: 'listen' | 'close' | 'expect' }} LoadOrder
 */

/** @type {Record<Protocol, import('./load/session.mjs').Connect>} */
const CONNECT = {
  sse: connectSse,
  streamable: connectStreamable,
  stateless: connectStateless,
  'without-session': connectWithoutSession,
};
/** As many as there are calls in flight. */
const CONNECTIONS = 32;
/** Sessions that are opened and closed at once. */
const LANES = 16;

const [protocol = '', url = ''] = process.argv.slice(2);
const connect = CONNECT[/** @type {Protocol} */ (protocol)];
const http = new Http(url, CONNECTIONS);

/** @type {Session[]} */
let sessions = [];
/** What a broadcast has reached, by session: when. */
const heardAt = new Map();
/** @type {() => void} */
let onHeard = () => {};

/**
 * Does something for each of a number of items, a few at once.
 *
 * @param {number} count
 * @param {number} lanes
 * @param {(index: number) => Promise<void>} task
 */
async function inLanes(count, lanes, task) {
  let next = 0;
  const lane = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
}

/** @param {OpenOrder} order */
async function open(order) {
  const before = sessions.length;
  const startedAt = sharedNow();
  const endsAt = startedAt + order.capMs;
  await inLanes(order.sessions, LANES, async () => {
    if (sharedNow() > endsAt) return;
    const session = await connect(http);
    session.onNotification = () => {
      heardAt.set(session, sharedNow());
      onHeard();
    };
    sessions.push(session);
  });
  return { opened: sessions.length - before, elapsedMs: sharedNow() - startedAt };
}

async function close() {
  const closing = sessions;
  sessions = [];
  await inLanes(closing.length, LANES, async (index) => closing[index]?.close());
  return {};
}

/**
 * Keeps calls in flight until all were made or the time is up.
 *
 * @param {CallsOrder} order
 */
async function makeCalls({ inFlight, calls, capMs }) {
  const startedAt = sharedNow();
  const endsAt = startedAt + capMs;
  let started = 0;
  let finished = 0;
  /** @param {number} lane */
  const lane = async (lane) => {
    const session = sessions[lane % sessions.length];
    if (session === undefined) throw new Error('there is no session to call');
    while (started < calls && sharedNow() < endsAt) {
      const message = `message number ${started++}`;
      const text = await session.echo(message);
      if (text !== message) throw new Error(`a call got the answer of another: ${text}`);
      finished++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, index) => lane(index)));
  return { calls: finished, elapsedMs: sharedNow() - startedAt };
}

/**
 * Waits until a broadcast has reached every session.
 *
 * @param {HeardOrder} order
 */
async function heard({ since, capMs }) {
  if (heardAt.size < sessions.length) {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`a broadcast reached ${heardAt.size} of ${sessions.length}`)),
        capMs,
      );
      onHeard = () => {
        if (heardAt.size < sessions.length) return;
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  }
  const afterMs = [...heardAt.values()].map((at) => at - since).sort((a, b) => a - b);
  return { lastMs: afterMs.at(-1), p99Ms: percentile(afterMs, 0.99) };
}

/** @param {LoadOrder} order @returns {Promise<object>} */
async function carryOut(order) {
  switch (order.do) {
    case 'open':
      return open(order);
    case 'listen':
      await inLanes(sessions.length, LANES, async (index) => sessions[index]?.listen());
      return {};
    case 'close':
      return close();
    case 'calls':
      return makeCalls(order);
    case 'expect':
      heardAt.clear();
      onHeard = () => {};
      return {};
    case 'heard':
      return heard(order);
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (order) => {
  carryOut(/** @type {LoadOrder} */ (order)).then(
    (answer) => process.send?.(answer),
    (error) => process.send?.({ error: String(error?.message ?? error) }),
  );
});
process.send?.({ ready: true });
