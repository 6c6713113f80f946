import { setTimeout as sleep } from 'node:timers/promises';
import { nameOf, seconds, told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { isAnswer } from './a-cut.mjs';

/**
 * @typedef {import('../stage.mjs').Stage} Stage
 * @typedef {import('../client-process.mjs').ClientProcess} ClientProcess
 * @typedef {import('../server/streamable.mjs').StreamableServer} StreamableServer
 * @typedef {import('../server/stateless.mjs').StatelessServer} StatelessServer
 */

const PATIENCE_MS = 4000;
const AT_ONCE_MS = 1000;
const ABORT_AFTER_MS = 200;
const NEIGHBOUR = 'n-neighbour';

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'N',
  title: 'Bodies that end without the answer',
  demand:
    'The body of an answer begins as a stream of events without ids, and ends, or is cut, before it ' +
    'has said anything, when the work is done: within 1 s a safe call has been sent again and ' +
    'succeeds, and a write fails `outcome-unknown`, run once. A write that waits for its answer ' +
    'meanwhile is not disturbed: it succeeds, run once.',
  notes: {
    stateless:
      'A call that is aborted: the server sees the stream of that request closed, and no other, ' +
      'and gets no message about it.',
  },
  transports: { streamable: run, stateless: run },
};

/** @param {Stage} stage */
async function run(stage) {
  const server =
    stage.transport === 'stateless'
      ? await stage.statelessServer()
      : await stage.streamableServer();
  const client = await stage.connected(server.url);
  if (client === undefined) return;
  const good = await client.call('write', { key: 'n-good' }, {}, PATIENCE_MS);
  stage.check('a call before that works', isAnswer(good, 'write', 'n-good'), told(good));

  server.workshop.holding = true;
  const neighbour = client.call('write', { key: NEIGHBOUR }, {}, 4 * PATIENCE_MS);
  await until(() => server.workshop.executions(NEIGHBOUR) === 1, PATIENCE_MS);
  // What is held stays held; what comes now is not.
  server.workshop.holding = false;
  for (const how of /** @type {const} */ (['end', 'cut'])) {
    await cutBody(stage, server, client, how);
  }
  if (server.transport === 'stateless') await aborted(stage, server, client);
  server.workshop.release();

  const outcome = await neighbour;
  const runs = server.workshop.executions(NEIGHBOUR);
  stage.check(
    'the call that waits meanwhile succeeds, run once',
    isAnswer(outcome, 'write', NEIGHBOUR) && runs === 1,
    `${told(outcome)}, run ${runs} ×`,
  );
  await stage.finish(client, server);
}

/**
 * @param {Stage} stage
 * @param {StreamableServer | StatelessServer} server
 * @param {ClientProcess} client
 * @param {'end' | 'cut'} how
 */
async function cutBody(stage, server, client, how) {
  const name = how === 'end' ? 'ended' : 'cut';
  const [readKey, writeKey] = [`n-${how}-read`, `n-${how}-write`];
  server.breaksOff = ({ key }) =>
    key !== undefined && [readKey, writeKey].includes(key) && server.postsOf(key).length === 1
      ? how
      : undefined;
  const [read, write] = await Promise.all([
    timed(server, readKey, client.call('read', { key: readKey }, {}, PATIENCE_MS)),
    timed(server, writeKey, client.call('write', { key: writeKey }, {}, PATIENCE_MS)),
  ]);
  server.breaksOff = undefined;
  const [readRuns, writeRuns] = [readKey, writeKey].map((key) => server.workshop.executions(key));
  stage.check(
    `${name}: the safe call succeeds within 1 s`,
    isAnswer(read, 'read', readKey) && read.afterMs <= AT_ONCE_MS,
    `${told({ ...read, ms: read.afterMs })}, run ${readRuns} ×`,
  );
  stage.check(
    `${name}: the write fails outcome-unknown within 1 s`,
    write.error?.certainty === 'outcome-unknown' && write.afterMs <= AT_ONCE_MS,
    write.error === undefined ? told(write) : `${nameOf(write.error)}, ${seconds(write.afterMs)}`,
  );
  stage.check(`${name}: the write ran once`, writeRuns === 1, `${writeRuns} ×`);
}

/**
 * @param {StreamableServer | StatelessServer} server
 * @param {string} key
 * @param {Promise<import('../client-process.mjs').Outcome>} call
 */
async function timed(server, key, call) {
  const brokenAt = new Promise((resolve) => {
    const watch = async () => {
      const response = () => server.lineOf(key);
      await until(() => response() !== undefined, PATIENCE_MS);
      await until(() => response()?.closed !== false, PATIENCE_MS);
      resolve(performance.now());
    };
    void watch();
  });
  const outcome = await call;
  const settledAt = performance.now();
  const afterMs = Math.max(0, settledAt - Number(await brokenAt));
  return { ...outcome, afterMs };
}

/** @param {Stage} stage @param {StatelessServer} server @param {ClientProcess} client */
async function aborted(stage, server, client) {
  const key = 'n-aborted';
  const before = server.abandoned.length;
  server.workshop.holding = true;
  const options = { abortAfterMs: ABORT_AFTER_MS };
  const outcome = await client.call('write', { key }, options, PATIENCE_MS);
  server.workshop.holding = false;
  stage.check('aborted: the call settles', outcome.error !== undefined, told(outcome));
  await until(() => server.abandoned.length > before, AT_ONCE_MS);
  // Whatever else it would close or say, it would by then.
  await sleep(100);
  const closed = server.abandoned.slice(before).map((post) => post.key);
  stage.check(
    'aborted: the stream of that request is closed, and no other',
    closed.length === 1 && closed[0] === key,
    closed.length === 0 ? 'none' : closed.join(', '),
  );
  const said = server.asked('notifications/cancelled');
  stage.check('aborted: no message is sent about it', said === 0, `${said} messages`);
}
