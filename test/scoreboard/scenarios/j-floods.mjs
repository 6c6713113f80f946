import { setTimeout as sleep } from 'node:timers/promises';
import { isTyped, seconds, told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { isAnswer } from './a-cut.mjs';
import { sessionServer } from './b-restart.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */
/** @typedef {import('../client-process.mjs').ClientProcess} ClientProcess */

const MIB = 2 ** 20;
const LIMIT_BYTES = 8 * MIB;
const LINE_BYTES = 200 * MIB;
const EVENT_BYTES = 16 * MIB;
/** What a client may grow by, where at most one event of 8 MiB is to be kept. */
const GROWTH_MIB = 128;
const NOTIFICATIONS = 10_000;
const LISTENER_MS = 0.2;
const PATIENCE_MS = 10_000;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'J',
  title: 'Floods',
  demand:
    'With a limit of 8 MiB for one event: a line that never ends (200 MiB of it, unless the client ' +
    'disconnects), an event of 16 MiB, and 10,000 notifications in one burst, each of which keeps the ' +
    'listener busy for 0.2 ms. The process grows by at most 128 MiB; calls get a typed error or ' +
    'their result, notifications are all delivered; nothing crashes.',
  notes: { streamable: 'Answers of 16 MiB come as an event, and as JSON.' },
  transports: { sse: run, streamable: run },
};

/** @param {Stage} stage */
async function run(stage) {
  const parts = {
    line: stage.part('endless line'),
    event: stage.part('huge event'),
    ...(stage.transport === 'streamable' && { body: stage.part('huge body') }),
    burst: stage.part('burst'),
  };
  await endlessLine(parts.line);
  await hugeAnswer(parts.event);
  if (parts.body) await hugeAnswer(parts.body, 'json');
  await burst(parts.burst);
  stage.take(Object.values(parts));
}

/** @param {Stage} stage */
async function endlessLine(stage) {
  const server = await sessionServer(stage);
  const client = await stage.connected(server.url, { maxEventBytes: LIMIT_BYTES });
  if (client === undefined) return;
  server.workshop.holding = true;
  const call = client.call('read', { key: 'j-line' }, {}, PATIENCE_MS);
  await until(() => server.workshop.executions('j-line') === 1, 3000);
  server.workshop.holding = false;

  const response = server.lineOf('j-line');
  const chunk = 'x'.repeat(MIB);
  let sent = 0;
  const endAt = performance.now() + PATIENCE_MS;
  response?.write('data: ');
  while (response && !response.destroyed && sent < LINE_BYTES && performance.now() < endAt) {
    sent += MIB;
    response.write(chunk);
    await sleep(0);
    await until(() => response.destroyed || !response.writableNeedDrain, 1000);
  }
  response?.destroy();

  const outcome = await call;
  stage.check('the call in flight settles', settledWell(outcome, 'j-line'), told(outcome));
  stage.figure('sent before the client disconnected', `${Math.round(sent / MIB)} MiB`);
  await checkGrowth(stage, client);
  const next = await client.call('read', { key: 'j-next' }, {}, PATIENCE_MS / 3);
  stage.figure('the next call', told(next));
  await stage.finish(client, server);
}

/** @param {Stage} stage @param {'sse' | 'json'} [answersAs] how Streamable HTTP carries it */
async function hugeAnswer(stage, answersAs = 'sse') {
  const server = await sessionServer(stage);
  const client = await stage.connected(server.url, { maxEventBytes: LIMIT_BYTES });
  if (client === undefined) return;
  if (server.transport === 'streamable') server.answersAs = answersAs;
  const args = { key: 'j-event', bytes: EVENT_BYTES };
  const outcome = await client.call('write', args, {}, PATIENCE_MS);
  const isWhole = outcome.ok && outcome.length === EVENT_BYTES;
  stage.check(
    'the call gets a typed error or its result',
    isWhole || isTyped(outcome),
    told(outcome),
  );
  const runs = server.workshop.executions('j-event');
  stage.check('it ran once', runs === 1, `${runs} ×`);
  await checkGrowth(stage, client);
  const next = await client.call('read', { key: 'j-next' }, {}, PATIENCE_MS / 3);
  stage.figure('the next call', told(next));
  await stage.finish(client, server);
}

/** @param {Stage} stage */
async function burst(stage) {
  const server = await sessionServer(stage);
  const client = await stage.connected(server.url, { listenerMs: LISTENER_MS });
  if (client === undefined) return;
  const startedAt = performance.now();
  // On the stream on which the answer comes, whichever that is.
  server.answerCall = (say, answer) => {
    for (let number = 0; number < NOTIFICATIONS; number++) {
      const data = { number, text: 'y'.repeat(200) };
      say({ method: 'notifications/message', params: { level: 'info', data } });
    }
    say(answer);
  };
  const outcome = await client.call('read', { key: 'j-after' }, {}, PATIENCE_MS);
  let { notifications = 0 } = await client.stats();
  const endAt = performance.now() + PATIENCE_MS / 3;
  while (notifications < NOTIFICATIONS && performance.now() < endAt) {
    await sleep(200);
    notifications = (await client.stats()).notifications ?? 0;
  }
  const afterMs = performance.now() - startedAt;
  stage.check(
    'all notifications are delivered',
    notifications === NOTIFICATIONS,
    `${notifications} within ${seconds(afterMs)}`,
  );
  stage.check(
    'the call that they precede works',
    isAnswer(outcome, 'read', 'j-after'),
    told(outcome),
  );
  await checkGrowth(stage, client);
  await stage.finish(client, server);
}

/** @param {import('../client-process.mjs').Outcome} outcome @param {string} key */
const settledWell = (outcome, key) => isAnswer(outcome, 'read', key) || isTyped(outcome);

/** @param {Stage} stage @param {ClientProcess} client */
async function checkGrowth(stage, client) {
  const { rssGrowthMiB } = await client.stats();
  stage.check(
    `grows by at most ${GROWTH_MIB} MiB`,
    rssGrowthMiB !== undefined && rssGrowthMiB <= GROWTH_MIB,
    rssGrowthMiB === undefined ? 'the process crashed' : `${Math.round(rssGrowthMiB)} MiB`,
  );
}
