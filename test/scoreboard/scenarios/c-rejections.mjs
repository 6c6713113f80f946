import { setTimeout as sleep } from 'node:timers/promises';
import { seconds, told } from '../measurements.mjs';
import { isAnswer } from './a-cut.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */
/** @typedef {import('../stage.mjs').Server} Server */
/** @typedef {import('../client-process.mjs').ClientProcess} ClientProcess */

const PATIENCE_MS = 8000;
const AT_ONCE_MS = 1000;
const RETRY_AFTER_S = 1;
/** A timer may be a little early, and the two clocks are those of two processes. */
const CLOCK_MS = 5;
/** How long a repetition of what failed is looked out for. */
const LOOK_OUT_MS = 1500;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'C',
  title: 'POSTs that are refused',
  demand:
    'The first POST of a call is answered with 503 or 429, with or without `Retry-After: 1`: the ' +
    'call waits as long as it was told and succeeds, run once. A 500 to a write that did run: ' +
    'within 1 s the call fails, or gives the answer that came all the same, and is not repeated.',
  notes: {
    streamable: 'A 404 for the session: the call has a new one and succeeds, run once.',
  },
  transports: { sse: run, streamable: run, stateless: run },
};

/** @param {Stage} stage */
export async function run(stage) {
  const server = await stage.server();
  const client = await stage.connected(server.url);
  if (client === undefined) return;

  await refused(stage, server, client, { status: 503, waits: true });
  // That a 503 by itself means "not run" is known of HTTP+SSE servers only.
  if (stage.transport === 'sse')
    await refused(stage, server, client, { status: 503, waits: false });
  await refused(stage, server, client, { status: 429, waits: true });
  await refused(stage, server, client, { status: 429, waits: false });

  const key = 'c-500';
  server.answerPost = (post) =>
    post.key === key ? { status: 500, body: 'it broke', execute: true } : undefined;
  const outcome = await client.call('write', { key }, {}, PATIENCE_MS);
  await sleep(LOOK_OUT_MS);
  const isTrue = outcome.error !== undefined || isAnswer(outcome, 'write', key);
  const name = '500: the write fails, or is answered, within 1 s';
  stage.check(name, isTrue && outcome.ms <= AT_ONCE_MS, told(outcome));
  const posts = server.postsOf(key).length;
  const runs = server.workshop.executions(key);
  stage.check('500: it is sent once', posts === 1, `sent ${posts} ×, run ${runs} ×`);
  server.answerPost = undefined;
  if (server.transport === 'streamable') await sessionGone(stage, server, client);
  await stage.finish(client, server);
}

/**
 * @param {Stage} stage
 * @param {import('../server/streamable.mjs').StreamableServer} server
 * @param {ClientProcess} client
 */
async function sessionGone(stage, server, client) {
  const key = 'c-gone';
  server.dropSessions();
  const outcome = await client.call('write', { key }, {}, PATIENCE_MS);
  const runs = server.workshop.executions(key);
  stage.check(
    '404 for the session: the call succeeds, run once',
    isAnswer(outcome, 'write', key) && runs === 1,
    `${told(outcome)}, run ${runs} ×`,
  );
}

/**
 * @param {Stage} stage
 * @param {Server} server
 * @param {ClientProcess} client
 * @param {{ status: number, waits: boolean }} fault
 */
async function refused(stage, server, client, { status, waits }) {
  const name = waits ? `${status}, Retry-After: ${RETRY_AFTER_S}` : `${status}`;
  const key = `c-${status}-${waits ? 'after' : 'plain'}`;
  const headers = waits ? { 'retry-after': String(RETRY_AFTER_S) } : {};
  server.answerPost = (post) =>
    post.key === key && server.postsOf(key).length === 1 ? { status, headers } : undefined;
  const outcome = await client.call('write', { key }, {}, PATIENCE_MS);
  server.answerPost = undefined;
  const runs = server.workshop.executions(key);
  stage.check(
    `${name}: the call succeeds, run once`,
    isAnswer(outcome, 'write', key) && runs === 1,
    `${told(outcome)}, run ${runs} ×`,
  );
  if (!waits) return;
  const [first, second] = server.postsOf(key);
  const gapMs = (second?.at ?? Number.NaN) - (first?.answeredAt ?? Number.NaN);
  stage.check(
    `${name}: not sent again before that`,
    gapMs >= RETRY_AFTER_S * 1000 - CLOCK_MS,
    Number.isNaN(gapMs) ? 'not sent again' : `after ${seconds(gapMs)}`,
  );
}
