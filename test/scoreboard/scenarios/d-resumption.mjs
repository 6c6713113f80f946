import { setTimeout as sleep } from 'node:timers/promises';
import { told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { isAnswer } from './a-cut.mjs';

/**
 * @typedef {import('../stage.mjs').Stage} Stage
 * @typedef {import('../client-process.mjs').ClientProcess} ClientProcess
 * @typedef {import('../server/sse.mjs').SseServer} SseServer
 * @typedef {import('../server/streamable.mjs').StreamableServer} StreamableServer
 */

const PATIENCE_MS = 10_000;
// Otherwise a client that waits as the specification suggests would take several seconds.
const PREAMBLE = 'retry: 300\n\n';
const CALLS = /** @type {const} */ ([
  ['read', 'd-read'],
  ['put', 'd-put'],
  ['write', 'd-write'],
]);

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'D',
  title: 'Resumption',
  demand:
    'Events have ids, and the stream is cut with calls in flight, a write among them. The resumed ' +
    'stream names the same session and is cut again before its first event. Each result arrives ' +
    'exactly once, nothing runs twice, there is no second handshake, and both resumed streams ask ' +
    'for what came after the last event that was seen.',
  notes: {
    streamable:
      'The stream is that of each POST, resumed by GET with `Last-Event-ID`, twice for each call.',
  },
  transports: { sse: onStream, streamable: onPosts },
};

/** @param {Stage} stage */
async function onStream(stage) {
  const server = await stage.sseServer();
  const client = await prepared(stage, server);
  if (client === undefined) return;
  const session = server.opened[0];
  const calls = await hold(server, client);
  session?.send(note('before the cut'));
  await sleep(100);
  const lastId = `${session?.id}:${session?.sent}`;
  server.resumedToCut = 1;
  server.cut();
  await until(() => server.openStreams === 0, 1000);
  // What happens while nobody listens is replayed.
  session?.send(note('during the cut'));
  server.workshop.release();

  await checkCalls(stage, server, calls);
  const resumed = server.streams.slice(1);
  const right = resumed.filter((stream) => stream.resumed && stream.lastEventId === lastId);
  stage.check(
    'two streams resume after the last event that was seen',
    resumed.length === 2 && right.length === 2,
    `${right.length} of ${resumed.length}`,
  );
  await checkRest(stage, server, client);
}

/** @param {Stage} stage */
async function onPosts(stage) {
  const server = await stage.streamableServer();
  const client = await prepared(stage, server);
  if (client === undefined) return;
  const calls = await hold(server, client);
  const logs = CALLS.map(([, key]) => server.logOf(key));
  const [first] = logs;
  first?.say(note('before the cut'));
  await sleep(100);
  const lastIds = logs.map((log) => log?.lastId);
  server.resumedToCut = 1;
  server.cut();
  await until(() => server.left.length === 0, 1000);
  first?.say(note('during the cut'));
  server.workshop.release();

  await checkCalls(stage, server, calls);
  const askedFor = server.streams.map(({ lastEventId }) => lastEventId);
  const counts = lastIds.map((lastId) => askedFor.filter((id) => id === lastId).length);
  const others = server.streams.filter(
    ({ lastEventId }) => lastEventId !== undefined && !lastIds.includes(lastEventId),
  );
  stage.check(
    'each stream is resumed twice after the last event that was seen',
    counts.every((count) => count === 2) && others.length === 0,
    `${counts.join(', ')} ×${others.length === 0 ? '' : `, and ${others.length} of others`}`,
  );
  await checkRest(stage, server, client);
}

/** @param {Stage} stage @param {SseServer | StreamableServer} server */
async function prepared(stage, server) {
  server.eventIds = true;
  server.preamble = PREAMBLE;
  const client = await stage.connected(server.url);
  if (client === undefined) return undefined;
  const early = await client.call('read', { key: 'd-early' }, {}, PATIENCE_MS);
  stage.check('a call before the cut succeeds', isAnswer(early, 'read', 'd-early'), told(early));
  return client;
}

/**
 * Makes the calls, which run and are not answered.
 *
 * @param {SseServer | StreamableServer} server
 * @param {ClientProcess} client
 */
async function hold(server, client) {
  server.workshop.holding = true;
  const calls = CALLS.map(([tool, key]) => client.call(tool, { key }, {}, PATIENCE_MS));
  await until(() => CALLS.every(([, key]) => server.workshop.executions(key) === 1), 3000);
  return calls;
}

/**
 * @param {Stage} stage
 * @param {SseServer | StreamableServer} server
 * @param {Promise<import('../client-process.mjs').Outcome>[]} calls
 */
async function checkCalls(stage, server, calls) {
  const outcomes = await Promise.all(calls);
  for (const [index, [tool, key]] of CALLS.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) continue;
    const runs = server.workshop.executions(key);
    stage.check(
      `the call of ${tool} gets its result, run once`,
      isAnswer(outcome, tool, key) && runs === 1,
      `${told(outcome)}, run ${runs} ×`,
    );
  }
}

/** @param {Stage} stage @param {SseServer | StreamableServer} server @param {ClientProcess} client */
async function checkRest(stage, server, client) {
  const handshakes = server.initializes - 1;
  stage.check('no second handshake', handshakes === 0, String(handshakes));
  await sleep(200);
  const { notifications = 0, droppedAnswers } = await client.stats();
  stage.check('no notification arrives twice', notifications <= 2, `${notifications} of 2 arrived`);
  stage.figure('answers that were dropped', droppedAnswers ?? 'not counted');
  await stage.finish(client, server);
}

/** @param {string} data */
const note = (data) => ({ method: 'notifications/message', params: { level: 'info', data } });
