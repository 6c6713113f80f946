import { setTimeout as sleep } from 'node:timers/promises';
import { isTyped, told } from '../measurements.mjs';
import { isAnswer } from './a-cut.mjs';
import { sessionServer } from './b-restart.mjs';

/**
 * @typedef {import('../stage.mjs').Stage} Stage
 * @typedef {import('../client-process.mjs').ClientProcess} ClientProcess
 * @typedef {import('../stage.mjs').Server} Server
 */

const PATIENCE_MS = 5000;
const CALLS = ['k-1', 'k-2', 'k-3'];
const WRONG = { content: [{ type: 'text', text: 'of another' }] };

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'K',
  title: 'Answers that nobody asked for',
  demand:
    'Before the answer to each call comes one with an unknown id and one whose id only looks like ' +
    'its own (`"01"` for 1), and after it another with the same id: every call gets its own result, ' +
    'and all the others are dropped and counted.',
  notes: {
    streamable:
      'The same in a JSON body that is an array. An answer of another content type, or a JSON body ' +
      'that answers another request alone: the call settles, with its own result or a typed error.',
    stateless:
      'An answer of another content type: the call settles, with its own result or a typed error.',
  },
  transports: { sse: run, streamable: run, stateless: run },
};

/** @param {Stage} stage */
async function run(stage) {
  const server =
    stage.transport === 'stateless' ? await stage.statelessServer() : await sessionServer(stage);
  const client = await stage.connected(server.url);
  if (client === undefined) return;
  await surrounded(stage, server, client);
  if (server.transport === 'streamable') {
    const asArray = stage.part('in an array');
    server.answersAs = 'json';
    await surrounded(asArray, server, client);
    stage.take([asArray]);
    server.answerCall = (say) => say({ id: 987_654_321, result: WRONG });
    await settles(stage, client, 'a body that answers another request');
    server.answerCall = undefined;
  }
  if (server.transport !== 'sse') {
    const key = 'k-html';
    const headers = { 'content-type': 'text/html' };
    server.answerPost = (post) =>
      post.key === key ? { status: 200, headers, body: '<p>Hello.</p>' } : undefined;
    await settles(stage, client, 'an answer of another content type', key);
    server.answerPost = undefined;
  }
  await stage.finish(client, server);
}

/** @param {Stage} stage @param {Server} server @param {ClientProcess} client */
async function surrounded(stage, server, client) {
  const before = (await client.stats()).droppedAnswers ?? 0;
  let foreign = 0;
  // Whoever has its answer need not read what else is in the body.
  let atLeast = 0;
  server.answerCall = (say, answer) => {
    foreign += 3;
    atLeast += server.transport === 'sse' ? 3 : 2;
    say({ id: 987_654_321, result: { ...answer.result, ...WRONG } });
    say({ id: `0${answer.id}`, result: { ...answer.result, ...WRONG } });
    say(answer);
    say({ id: answer.id, result: { ...answer.result, ...WRONG } });
  };
  const outcomes = await Promise.all(
    CALLS.map((key) => client.call('read', { key }, {}, PATIENCE_MS)),
  );
  for (const [index, key] of CALLS.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) continue;
    const own = isAnswer(outcome, 'read', key);
    const measured = outcome.ok && !own ? `got the result “${outcome.text}”` : told(outcome);
    stage.check(`call ${index + 1} gets its own result`, own, measured);
  }
  await sleep(200);
  const { droppedAnswers } = await client.stats();
  const dropped = droppedAnswers === undefined ? undefined : droppedAnswers - before;
  stage.check(
    'all the others are dropped and counted',
    dropped !== undefined && dropped >= atLeast && dropped <= foreign,
    dropped === undefined ? 'not counted' : `${dropped} of ${foreign}`,
  );
  server.answerCall = undefined;
}

/** @param {Stage} stage @param {ClientProcess} client @param {string} what @param {string} [key] */
async function settles(stage, client, what, key = 'k-other') {
  const outcome = await client.call('read', { key }, {}, PATIENCE_MS);
  stage.check(
    `${what}: the call settles`,
    isAnswer(outcome, 'read', key) || isTyped(outcome),
    outcome.ok ? `got the result “${outcome.text}”` : told(outcome),
  );
}
