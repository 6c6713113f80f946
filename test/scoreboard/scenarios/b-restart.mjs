import { tally } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { isAnswer } from './a-cut.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */

/** A server whose transport has sessions. @param {Stage} stage */
export const sessionServer = (stage) =>
  stage.transport === 'streamable' ? stage.streamableServer() : stage.sseServer();

const PATIENCE_MS = 8000;
const CALLS = 10;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'B',
  title: 'The session is gone after a restart',
  demand:
    'The server has lost the session, while the stream stays open, and answers POSTs with 404, ' +
    'or with 400: ten calls in parallel, reads and writes, all succeed and run once, after exactly ' +
    'one handshake that they share.',
  transports: { sse: run, streamable: run },
};

/** @param {Stage} stage */
async function run(stage) {
  await stage.inParts({
    'with 404': (part) => sessionLost(part),
    'with 400': (part) =>
      sessionLost(part, { status: 400, body: 'No transport found for sessionId' }),
  });
}

/** @param {Stage} stage @param {{ status: number, body: string }} [gone] */
async function sessionLost(stage, gone) {
  const server = await sessionServer(stage);
  if (gone !== undefined) server.gone = gone;
  const client = await stage.connected(server.url);
  if (client === undefined) return;

  server.dropSessions();
  const calls = Array.from({ length: CALLS }, (_, index) => ({
    tool: index % 2 === 0 ? 'read' : 'write',
    key: `b-${index}`,
  }));
  const outcomes = await Promise.all(
    calls.map(({ tool, key }) => client.call(tool, { key }, {}, PATIENCE_MS)),
  );
  const right = calls.every(({ tool, key }, index) => {
    const outcome = outcomes[index];
    return outcome !== undefined && isAnswer(outcome, tool, key);
  });
  stage.check('all ten calls succeed', right, tally(outcomes));
  const runs = calls.map(({ key }) => server.workshop.executions(key));
  const least = Math.min(...runs);
  const most = Math.max(...runs);
  stage.check('each ran once', least === 1 && most === 1, `${least} to ${most} ×`);
  const handshakes = server.initializes - 1;
  stage.check('after exactly one more handshake', handshakes === 1, String(handshakes));
  if (stage.transport === 'sse') {
    await until(() => server.openStreams === 1, 1000);
    stage.check('one stream is open', server.openStreams === 1, String(server.openStreams));
  } else {
    // A client need not listen; but the stream of the session that is gone is of no use.
    await until(() => server.openStreams <= 1, 1000);
    stage.check('at most one stream is open', server.openStreams <= 1, String(server.openStreams));
  }
  stage.figure('POSTs of the calls', calls.flatMap(({ key }) => server.postsOf(key)).length);
  await stage.finish(client, server);
}
