import { setTimeout as sleep } from 'node:timers/promises';
import { isTimeout, isTyped, nameOf, told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { isAnswer } from './a-cut.mjs';

/**
 * @typedef {import('../stage.mjs').Stage} Stage
 * @typedef {import('../server/stdio.mjs').Wrong} Wrong
 */

const PATIENCE_MS = 8000;
const CONNECT_MS = 1500;
const IDLE_MS = 1000;
const LATE_MS = 1000;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'P',
  title: 'Processes that misbehave',
  demand:
    'A server that crashes with calls in flight: the safe call succeeds, the write fails ' +
    '`outcome-unknown`, run once, and the next call works with a new process. One that writes 8 MiB ' +
    'to stderr, one that says on stdout what is no message: calls succeed. One that never answers a ' +
    'call, or `initialize`: an error that says that time was up, within 1 s of it. One that ignores ' +
    'SIGTERM and the end of its input, one that has started another process: after `close()` no ' +
    'process is left of any of them.',
  transports: { stdio: run },
};

/** @type {Record<string, { wrong: Wrong, act: (stage: Stage, wrong: Wrong) => Promise<void> }>} */
const PARTS = {
  crash: { wrong: 'crash', act: crash },
  'floods stderr': { wrong: 'stderr', act: works },
  'noise on stdout': { wrong: 'noise', act: works },
  'ignores SIGTERM': { wrong: 'stubborn', act: works },
  'leaves a grandchild': { wrong: 'grandchild', act: works },
  'never answers a call': { wrong: 'deaf to calls', act: unanswered },
  'never answers initialize': { wrong: 'deaf', act: neverReady },
};
const AT_A_TIME = 3;

/** @param {Stage} stage */
async function run(stage) {
  const jobs = Object.entries(PARTS).map(([name, { wrong, act }]) => [
    name,
    (/** @type {Stage} */ part) => act(part, wrong),
  ]);
  await stage.inParts(Object.fromEntries(jobs), AT_A_TIME);
}

/** @param {Stage} stage @param {Wrong} wrong */
async function crash(stage, wrong) {
  const server = await stage.stdioServer(wrong);
  const client = await stage.connected(server.target);
  if (client === undefined) return;
  const read = client.call('read', { key: 'p-read' }, {}, PATIENCE_MS);
  const write = client.call('write', { key: 'p-write' }, {}, PATIENCE_MS);
  const keys = ['p-read', 'p-write'];
  await until(() => keys.every((key) => server.executions(key) === 1), PATIENCE_MS);
  const startsBefore = server.starts;
  await sleep(50);
  server.crash();

  const outcome = await read;
  stage.check('the safe call succeeds', isAnswer(outcome, 'read', 'p-read'), told(outcome));
  const written = await write;
  stage.check(
    'the write fails outcome-unknown',
    written.error?.certainty === 'outcome-unknown',
    written.error === undefined ? told(written) : nameOf(written.error),
  );
  const next = await client.call('write', { key: 'p-next' }, {}, PATIENCE_MS);
  stage.check('the next call works', isAnswer(next, 'write', 'p-next'), told(next));
  const runs = server.executions('p-write');
  stage.check('the write ran once', runs === 1, `${runs} ×`);
  const starts = server.starts - startsBefore;
  stage.check('one new process was started', starts === 1, String(starts));
  await stage.finish(client, server, { counts: false });
}

/** @param {Stage} stage @param {Wrong} wrong */
async function works(stage, wrong) {
  const server = await stage.stdioServer(wrong);
  const client = await stage.connected(server.target);
  if (client === undefined) return;
  const key = `p-${wrong}`;
  const outcome = await client.call('write', { key }, {}, PATIENCE_MS);
  const runs = server.executions(key);
  stage.check(
    'a call succeeds, run once',
    isAnswer(outcome, 'write', key) && runs === 1,
    `${told(outcome)}, run ${runs} ×`,
  );
  await stage.finish(client, server, { counts: false });
}

/** @param {Stage} stage @param {Wrong} wrong */
async function unanswered(stage, wrong) {
  const server = await stage.stdioServer(wrong);
  const client = await stage.connected(server.target);
  if (client === undefined) return;
  const limits = { timeoutMs: IDLE_MS, deadlineMs: IDLE_MS };
  const outcome = await client.call('write', { key: 'p-unanswered' }, limits, PATIENCE_MS);
  stage.check(
    'the call fails when time is up, and says so',
    isTimeout(outcome) && outcome.ms >= IDLE_MS - 20 && outcome.ms <= IDLE_MS + LATE_MS,
    told(outcome),
  );
  await until(() => server.received('notifications/cancelled') > 0, LATE_MS);
  const cancelled = server.received('notifications/cancelled');
  stage.check('the server is told', cancelled === 1, `${cancelled} messages`);
  const next = await client.call('write', { key: 'p-next' }, {}, PATIENCE_MS);
  stage.check('the next call works', isAnswer(next, 'write', 'p-next'), told(next));
  stage.check('the same process does it', server.starts === 1, `started ${server.starts} ×`);
  await stage.finish(client, server, { counts: false });
}

/** @param {Stage} stage @param {Wrong} wrong */
async function neverReady(stage, wrong) {
  const server = await stage.stdioServer(wrong);
  const client = stage.process();
  await client.create(server.target, { connectMs: CONNECT_MS });
  const outcome = await client.connect(PATIENCE_MS);
  stage.check(
    'connecting fails in time, with a typed error',
    isTyped(outcome) && outcome.ms <= CONNECT_MS + LATE_MS,
    told(outcome),
  );
  stage.figure('asked for by', `${server.received('initialize')} × initialize`);
  await stage.finish(client, server, { counts: false });
}
