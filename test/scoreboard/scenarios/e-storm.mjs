import { setTimeout as sleep } from 'node:timers/promises';
import { told } from '../measurements.mjs';
import { isAnswer } from './a-cut.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */
/** @typedef {import('../server/sse.mjs').SseServer} SseServer */

const WATCHED_MS = 5000;
const AT_MOST = 10;
const PATIENCE_MS = 5000;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'E',
  title: 'A server that closes at once',
  demand:
    'After a good start the server says `retry: 0` and closes each stream at once, or as soon as ' +
    'the handshake is done: at most 10 connections in the first 5 s.',
  transports: { sse: run },
};

/** @param {Stage} stage */
async function run(stage) {
  await stage.inParts({
    'at once': (part) => storm(part, closeAtOnce),
    'after the handshake': (part) => storm(part, closeAfterHandshake),
  });
}

/** @param {Stage} stage @param {(server: SseServer) => void} turn from when on it closes */
async function storm(stage, turn) {
  const server = await stage.sseServer();
  server.preamble = 'retry: 0\n\n';
  const client = await stage.connected(server.url);
  if (client === undefined) return;
  const good = await client.call('read', { key: 'e-good' }, {}, PATIENCE_MS);
  stage.check('a call before that works', isAnswer(good, 'read', 'e-good'), told(good));

  const streamsBefore = server.streams.length;
  const connectionsBefore = server.http.acceptedConnections;
  turn(server);
  server.cut();
  await sleep(WATCHED_MS);
  const streams = server.streams.length - streamsBefore;
  stage.check('at most 10 streams are asked for', streams <= AT_MOST, String(streams));
  stage.figure('TCP connections', server.http.acceptedConnections - connectionsBefore);

  server.answerGet = undefined;
  server.answerPost = undefined;
  const next = await client.call('read', { key: 'e-next' }, {}, PATIENCE_MS);
  stage.figure('a call once the server is well again', told(next));
  await stage.finish(client, server);
}

/** @param {SseServer} server */
function closeAtOnce(server) {
  server.answerGet = (_request, response) => {
    server.beginStream(response, { sessionId: '', lastEventId: undefined, resumed: false });
    response.end();
    return true;
  };
}

/** @param {SseServer} server */
function closeAfterHandshake(server) {
  server.answerPost = ({ message }) => {
    if (message?.method === 'notifications/initialized') setTimeout(() => server.cut(), 20);
    return undefined;
  };
}
