import { setTimeout as sleep } from 'node:timers/promises';
import { seconds, told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { serverRequest } from './l-server-request.mjs';
import { STATES } from './l-states.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */
/** @typedef {import('./l-states.mjs').Arranged} Arranged */

const ABORT_AFTER_MS = 150;
const SETTLED_MS = 1000;
const BEGUN_MS = 200;
const AT_A_TIME = 2;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'L',
  title: 'Endings',
  demand:
    'In every state (idle, connecting, in the handshake, ready with calls in flight, reconnecting ' +
    'while the server is away, resting): an abort settles what it belongs to within 1 s, `close()` ' +
    'the rest; no rejection is left unhandled, nothing is left open, and the process ends by ' +
    'itself. Exiting the process works too. A request of the server that was open when the session ' +
    'died is not answered on the next one.',
  transports: { sse: runAll, streamable: runAll },
};

/** @param {Stage} stage */
async function runAll(stage) {
  await run(stage);
  const part = stage.part('request of the server');
  await serverRequest(part);
  stage.take([part]);
}

/** @param {Stage} stage */
export async function run(stage) {
  const jobs = Object.entries(STATES).flatMap(([name, arrange]) => [
    [name, ending(arrange, abortAndClose)],
    [`${name}, exit`, ending(arrange, exit)],
  ]);
  await stage.inParts(Object.fromEntries(jobs), AT_A_TIME);
}

/**
 * @param {(stage: Stage) => Promise<Arranged | undefined>} arrange
 * @param {(stage: Stage, arranged: Arranged) => Promise<void>} end
 * @returns {(stage: Stage) => Promise<void>}
 */
function ending(arrange, end) {
  return async (stage) => {
    const arranged = await arrange(stage);
    if (arranged !== undefined) await end(stage, arranged);
  };
}

/** @param {Stage} stage @param {Arranged} arranged */
async function abortAndClose(stage, { server, client, begin, isIdle }) {
  const abortAfterMs = isIdle ? 0 : ABORT_AFTER_MS;
  const aborted = await begin({ abortAfterMs });
  stage.check(
    'an abort settles at once',
    aborted.error !== undefined && aborted.ms - abortAfterMs <= SETTLED_MS,
    told(aborted),
  );
  if (!isIdle) {
    const rest = begin();
    await sleep(BEGUN_MS);
    const closedAt = performance.now();
    const closing = stage.finish(client, server, { counts: false });
    const outcome = await rest;
    const ms = performance.now() - closedAt;
    stage.check(
      'close() settles the rest',
      outcome.error !== undefined && ms <= SETTLED_MS,
      outcome.never === undefined ? told({ ...outcome, ms }) : told(outcome),
    );
    await closing;
  } else {
    await stage.finish(client, server, { counts: false });
  }
}

/** @param {Stage} stage @param {Arranged} arranged */
async function exit(stage, { server, client, begin, isIdle }) {
  if (!isIdle) {
    void begin();
    await sleep(BEGUN_MS);
  }
  const { byItself, code, ms } = await client.exit();
  const seenMs = await until(() => server.left.length === 0, SETTLED_MS);
  stage.check(
    'the process ends',
    byItself && code === 0 && seenMs !== undefined && client.uncaught.length === 0,
    byItself ? `exit code ${code}, ${seconds(ms)}` : 'it had to be killed',
  );
}
