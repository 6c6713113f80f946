import { setTimeout as sleep } from 'node:timers/promises';
import { seconds, told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { isAnswer, safeMark } from './a-cut.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */

const HEARTBEAT = { silenceMs: 1000, timeoutMs: 500 };
/** For the first delay of a new attempt, a quarter of a second, and for a busy machine. */
const MARGIN_MS = 1500;
const BUDGET_MS = HEARTBEAT.silenceMs + HEARTBEAT.timeoutMs + MARGIN_MS;
const PATIENCE_MS = 8000;
const COMMENT_MS = 200;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'G',
  title: 'Half-open',
  demand:
    'Nothing passes any more on the connections that are open, and they stay open. With ' +
    '`heartbeat: { silenceMs: 1000, timeoutMs: 500 }`, a new stream within those 1.5 s and 1.5 s ' +
    'more for the first delay and a busy machine; the safe call in flight succeeds.',
  notes: {
    streamable: 'Instead of a new stream: the safe call goes out again within that time.',
  },
  transports: { sse: run, streamable: run },
};

/** @param {Stage} stage */
export async function run(stage) {
  const server = await stage.server();
  if (server.transport === 'tool-events') server.commentEveryMs = COMMENT_MS;
  const proxy = await stage.proxy(server);
  const client = await stage.connected(proxy.url, { heartbeat: HEARTBEAT });
  if (client === undefined) return;
  const safe = safeMark(stage);
  const early = await client.call('read', { key: 'g-early' }, safe, PATIENCE_MS);
  stage.check('a call before that works', isAnswer(early, 'read', 'g-early'), told(early));
  const openedBefore = server.streams.length;
  const sessionsBefore = server.readySessions;
  // A connection that is only quiet is kept.
  await sleep(2 * (HEARTBEAT.silenceMs + HEARTBEAT.timeoutMs));
  const opened = server.streams.length;
  stage.check(
    'a quiet connection is kept',
    opened <= Math.max(1, openedBefore) && server.readySessions === sessionsBefore,
    `${opened} streams`,
  );
  server.workshop.holding = true;
  const read = client.call('read', { key: 'g-read' }, safe, PATIENCE_MS);
  await until(() => server.workshop.executions('g-read') === 1, PATIENCE_MS);
  server.workshop.holding = false;
  const frozenAt = performance.now();
  proxy.freeze();

  // Where answers come in the bodies of POSTs, those and not the stream are what has to be new.
  const isStreamable = stage.transport === 'streamable';
  const renewed = () => (isStreamable ? server.postsOf('g-read')[1] : server.streams[opened]);
  const found = await until(() => renewed() !== undefined, PATIENCE_MS);
  const afterMs = (renewed()?.at ?? Number.NaN) - frozenAt;
  stage.check(
    `${isStreamable ? 'the call goes out again' : 'a new stream'} within ${seconds(BUDGET_MS)}`,
    afterMs <= BUDGET_MS,
    found === undefined ? `none within ${seconds(PATIENCE_MS)}` : `after ${seconds(afterMs)}`,
  );
  const outcome = await read;
  const runs = server.workshop.executions('g-read');
  stage.check(
    'the safe call in flight succeeds',
    isAnswer(outcome, 'read', 'g-read'),
    `${told(outcome)}, run ${runs} ×`,
  );
  await stage.finish(client, server);
}
