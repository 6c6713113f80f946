import { setTimeout as sleep } from 'node:timers/promises';
import { nameOf, seconds, told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { answerOf } from '../server/workshop.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */
/** @typedef {import('../client-process.mjs').Outcome} Outcome */

const PATIENCE_MS = 6000;
const AT_ONCE_MS = 1000;

/** How a safe call is marked where tools have no annotations. @param {Stage} stage */
export const safeMark = (stage) => (stage.transport === 'tool-events' ? { idempotent: true } : {});

/** @param {Outcome} outcome @param {string} tool @param {string} key */
export const isAnswer = ({ ok, text }, tool, key) => ok && text === answerOf(tool, key);

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'A',
  title: 'Cut with calls in flight',
  demand:
    'The stream is cut with three calls in flight, one of them a write: the two safe ones succeed, ' +
    'the write fails `outcome-unknown` within 1 s and ran once; the next call works; there is one ' +
    'new session, and none is leaked.',
  transports: { sse: (stage) => run(stage) },
};

/**
 * @param {Stage} stage
 * @param {{ resultsIn?: 'body' | 'stream' }} [options] of a tool-events server
 */
export async function run(stage, { resultsIn = 'body' } = {}) {
  const server = await stage.server();
  if (server.transport === 'tool-events') server.resultsIn = resultsIn;
  const client = await stage.connected(server.url);
  if (client === undefined) return;
  const safe = safeMark(stage);
  if (stage.transport === 'tool-events') {
    // The first result shows where results come.
    await client.call('read', { key: 'first' }, safe, PATIENCE_MS);
  }
  const sessionsBefore = server.readySessions;

  server.workshop.holding = true;
  let cutAt = Number.NaN;
  /** @param {string} tool @param {string} key @param {object} options */
  const call = async (tool, key, options) => {
    const outcome = await client.call(tool, { key }, options, PATIENCE_MS);
    return { ...outcome, afterCutMs: performance.now() - cutAt };
  };
  const write = call('write', 'a-write', {});
  const oneAtATime = stage.transport === 'tool-events' && resultsIn === 'stream';
  const first = oneAtATime ? ['a-write'] : ['a-write', 'a-read', 'a-put'];
  if (oneAtATime) await until(() => server.workshop.executions('a-write') === 1, PATIENCE_MS);
  const read = call('read', 'a-read', safe);
  const put = call('put', 'a-put', safe);
  await until(() => first.every((key) => server.workshop.executions(key) === 1), PATIENCE_MS);
  await sleep(50);
  server.workshop.holding = false;
  cutAt = performance.now();
  server.cut();

  for (const [tool, outcome] of /** @type {const} */ ([
    ['read', await read],
    ['put', await put],
  ])) {
    const runs = server.workshop.executions(`a-${tool}`);
    stage.check(
      `the safe call of ${tool} succeeds`,
      isAnswer(outcome, tool, `a-${tool}`),
      `${told({ ...outcome, ms: outcome.afterCutMs })} after the cut, run ${runs} ×`,
    );
  }
  const written = await write;
  stage.check(
    'the write fails outcome-unknown within 1 s',
    written.error?.certainty === 'outcome-unknown' && written.afterCutMs <= AT_ONCE_MS,
    written.error === undefined
      ? told(written)
      : `${nameOf(written.error)}, ${seconds(written.afterCutMs)} after the cut`,
  );
  const next = await client.call('read', { key: 'a-next' }, safe, PATIENCE_MS);
  const runs = server.workshop.executions('a-write');
  stage.check('the write ran once', runs === 1, `${runs} ×`);
  stage.check('the next call works', isAnswer(next, 'read', 'a-next'), told(next));
  const sessions = server.readySessions - sessionsBefore;
  stage.check('one new session was initialized', sessions === 1, String(sessions));
  await until(() => server.openStreams === 1, 1000);
  stage.check('one stream is open', server.openStreams === 1, String(server.openStreams));
  await stage.finish(client, server);
}
