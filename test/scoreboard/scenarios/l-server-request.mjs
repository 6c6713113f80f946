import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../server/http.mjs';
import { sessionServer } from './b-restart.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */

const NEXT_SESSION_MS = 4000;
/** Longer than the slow answer takes. */
const ANSWERED_MS = 1500;
/** A server may well begin to count anew with every session. */
const ID = 1;

/**
 * The server asks something that takes a while to answer, and its session dies. On the next one it
 * asks something else, under the same id.
 *
 * @param {Stage} stage
 */
export async function serverRequest(stage) {
  const server = await sessionServer(stage);
  server.preamble = 'retry: 100\n\n';
  const client = await stage.connected(server.url);
  if (client === undefined) return;

  await until(() => server.openStreams === 1, NEXT_SESSION_MS);
  server.opened[0]?.send(question('slow'));
  await sleep(150);
  server.dropSessions();
  server.cut();
  await until(() => server.readySessions === 2 && server.openStreams > 0, NEXT_SESSION_MS);
  const next = server.opened.slice(1).find(({ state }) => state === 'ready');
  next?.send(question('quick'));
  await sleep(ANSWERED_MS);

  const answers = server.posts.filter(
    ({ sessionId, message }) =>
      sessionId !== server.opened[0]?.id && message?.id === ID && message.method === undefined,
  );
  const echoes = answers.map(({ message }) => message.result?.content?.echo);
  const stale = echoes.filter((echo) => echo !== 'quick').length;
  stage.check('the old one is not answered', stale === 0, `${stale} answers`);
  const fresh = echoes.filter((echo) => echo === 'quick').length;
  stage.check(
    'one of the next session is, once',
    fresh === 1,
    next === undefined ? 'there is no next session' : `${fresh} answers`,
  );
  await stage.finish(client, server);
}

/** @param {string} message */
function question(message) {
  const requestedSchema = { type: 'object', properties: { echo: { type: 'string' } } };
  return { id: ID, method: 'elicitation/create', params: { message, requestedSchema } };
}
