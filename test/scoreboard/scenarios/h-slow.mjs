import { isTimeout, told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { isAnswer } from './a-cut.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */

const PATIENCE_MS = 8000;
const IDLE_MS = 1000;
const WORK_MS = 3 * IDLE_MS;
const EVERY_MS = 300;
const DEADLINE_MS = 2000;
const LATE_MS = 1000;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'H',
  title: 'Work that takes long',
  demand:
    'A tool works for three times the idle time-out of 1 s and tells its progress each 300 ms: the ' +
    'call succeeds. With a hard cap of 2 s the same ends then, with an error that says so, and the ' +
    'server is told (`notifications/cancelled`).',
  notes: {
    stateless: 'The server is told by the end of the stream of that request, and not otherwise.',
  },
  transports: { sse: run, streamable: run, stateless: run },
};

/** @param {Stage} stage */
async function run(stage) {
  const server = await stage.server();
  const client = await stage.connected(server.url);
  if (client === undefined) return;
  const work = { ms: WORK_MS, everyMs: EVERY_MS };
  const [long, capped] = await Promise.all([
    client.call('slow', { key: 'h-long', ...work }, { timeoutMs: IDLE_MS }, PATIENCE_MS),
    client.call(
      'slow',
      { key: 'h-capped', ...work, ms: 2 * WORK_MS },
      { timeoutMs: IDLE_MS, deadlineMs: DEADLINE_MS },
      PATIENCE_MS,
    ),
  ]);
  stage.check('the long work succeeds', isAnswer(long, 'slow', 'h-long'), told(long));
  stage.figure('progress that it told', `${long.progress ?? 0} ×`);
  stage.check(
    'the hard cap ends the other',
    isTimeout(capped) && capped.ms >= DEADLINE_MS - 20 && capped.ms <= DEADLINE_MS + LATE_MS,
    told(capped),
  );
  const id = server.postsOf('h-capped')[0]?.message.id;
  const isSaid = () =>
    server.posts.some(
      ({ message }) =>
        message?.method === 'notifications/cancelled' && message.params.requestId === id,
    );
  const isToldOf = () =>
    server.transport === 'stateless'
      ? server.abandoned.some(({ key }) => key === 'h-capped') && !isSaid()
      : isSaid();
  const tellingMs = await until(isToldOf, LATE_MS);
  stage.check(
    'the server is told',
    tellingMs !== undefined,
    tellingMs === undefined ? 'no' : 'yes',
  );
  await stage.finish(client, server);
}
