import { setTimeout as sleep } from 'node:timers/promises';
import { isTimeout, seconds, told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { isAnswer } from './a-cut.mjs';
import { sessionServer } from './b-restart.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */

const LONG = { timeoutMs: 60_000, deadlineMs: 60_000 };
const SHORT_MS = 2000;
/** How much later than its deadline a call may settle. */
const LATE_MS = 1000;
const PATIENCE_MS = 62_000;
/** How long the stream is given to be back by itself, before a call asks for it. */
const BACK_MS = 5000;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'F',
  title: 'The server is away',
  demand:
    'The server is away for 30 s, connections are refused: calls that were made meanwhile with a ' +
    'deadline of 60 s succeed and run once, one with a deadline of 2 s fails then, with an error ' +
    'that says so and without ever running. Without any call, the stream comes back by itself or ' +
    'the next call works.',
  notes: {
    streamable: 'While it is away the server of the calls loses its sessions; the other does not.',
  },
  transports: { sse: run, streamable: run },
};

/** @param {Stage} stage */
async function run(stage) {
  await stage.inParts({ 'calls meanwhile': callsMeanwhile, 'no call meanwhile': noCalls });
}

/** @param {Stage} stage */
async function callsMeanwhile(stage) {
  const { awayMs } = stage.settings;
  const server = await sessionServer(stage);
  const client = await stage.connected(server.url);
  if (client === undefined) return;

  await server.http.away();
  let backAt = Number.NaN;
  /** @param {string} tool @param {string} key */
  const long = async (tool, key) => {
    const outcome = await client.call(tool, { key }, LONG, PATIENCE_MS);
    return { tool, key, outcome, afterBackMs: performance.now() - backAt };
  };
  await sleep(awayMs / 30);
  const calls = [long('read', 'f-early-read'), long('write', 'f-early-write')];
  const options = { timeoutMs: LONG.timeoutMs, deadlineMs: SHORT_MS };
  const short = client.call('write', { key: 'f-short' }, options, PATIENCE_MS);
  await sleep(awayMs / 2);
  calls.push(long('read', 'f-late-read'));
  await sleep(awayMs / 2 - awayMs / 30);
  server.dropSessions();
  backAt = performance.now();
  await server.http.back();

  for (const { tool, key, outcome, afterBackMs } of await Promise.all(calls)) {
    const runs = server.workshop.executions(key);
    stage.check(
      `the ${key === 'f-late-read' ? 'later' : 'early'} ${tool} succeeds, run once`,
      isAnswer(outcome, tool, key) && runs === 1,
      `${told(outcome)}${outcome.ok ? `, ${seconds(afterBackMs)} after the return` : ''}`,
    );
  }
  const outcome = await short;
  const runs = server.workshop.executions('f-short');
  stage.check(
    'the short one fails at its deadline of 2 s and says so',
    isTimeout(outcome) && outcome.ms >= SHORT_MS - 20 && outcome.ms <= SHORT_MS + LATE_MS,
    told(outcome),
  );
  stage.check('the short one never runs', runs === 0, `${runs} ×`);
  await stage.finish(client, server);
}

/** @param {Stage} stage */
async function noCalls(stage) {
  const server = await sessionServer(stage);
  const client = await stage.connected(server.url);
  if (client === undefined) return;
  await server.http.away();
  await sleep(stage.settings.awayMs);
  await server.http.back();
  const isSse = stage.transport === 'sse';
  const isBack = () => (isSse ? server.readySessions === 2 : server.openStreams > 0);
  const backMs = await until(isBack, BACK_MS);
  const next = await client.call('read', { key: 'f-next' }, LONG, 2 * BACK_MS);
  stage.check('the next call works', isAnswer(next, 'read', 'f-next'), told(next));
  stage.figure(
    isSse ? 'a new session by itself' : 'the stream is open again by itself',
    backMs === undefined ? 'none' : `after ${seconds(backMs)}`,
  );
  await stage.finish(client, server);
}
