import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../server/http.mjs';
import { safeMark } from './a-cut.mjs';

/**
 * @typedef {import('../stage.mjs').Stage} Stage
 * @typedef {import('../stage.mjs').Server} Server
 * @typedef {import('../client-process.mjs').ClientProcess} ClientProcess
 * @typedef {import('../client-process.mjs').Outcome} Outcome
 *
 * @typedef {object} Arranged a client that is in a state
 * @property {Server} server
 * @property {ClientProcess} client
 * @property {(options?: { abortAfterMs?: number }) => Promise<Outcome>} begin begins what the state
 *   leaves open: connecting, or a call
 * @property {boolean} [isIdle] nothing was asked of it yet
 */

const PATIENCE_MS = 3000;
const SOON_MS = 300;
const RESTING_MS = 2500;
const QUICK_TO_REST = { maxAttempts: 2, firstDelayMs: 50, maxDelayMs: 100 };

/**
 * How a client is brought into each state; undefined if it cannot.
 *
 * @type {Record<string, (stage: Stage) => Promise<Arranged | undefined>>}
 */
export const STATES = {
  idle: async (stage) => ({ ...calling(stage, await created(stage)), isIdle: true }),
  connecting: async (stage) => {
    const { server, client } = await created(stage);
    // Whatever it begins with, it gets no answer.
    server.answerGet = () => true;
    if (server.transport === 'streamable') server.answerPost = () => ({ status: 0 });
    return connecting({ server, client });
  },
  handshaking: async (stage) => {
    const { server, client } = await created(stage);
    if (server.transport === 'tool-events') server.keepsTools = true;
    else server.deafTo = 'initialize';
    return connecting({ server, client });
  },
  ready: async (stage) => {
    const arranged = await ready(stage);
    if (arranged !== undefined) arranged.server.workshop.holding = true;
    return arranged;
  },
  reconnecting: async (stage) => {
    const arranged = await ready(stage);
    await arranged?.server.http.away();
    await sleep(SOON_MS);
    return arranged;
  },
  resting: async (stage) => {
    const arranged = await ready(stage, { retry: QUICK_TO_REST });
    await arranged?.server.http.away();
    await until(() => arranged?.client.states.at(-1) === 'resting', RESTING_MS);
    return arranged;
  },
};

/** @param {Stage} stage */
async function created(stage) {
  const server = await stage.server();
  const client = stage.process();
  await client.create(server.url);
  return { server, client };
}

/** @param {Stage} stage @param {import('../clients/adapter.mjs').ConnectOptions} [options] */
async function ready(stage, options) {
  const server = await stage.server();
  const client = await stage.connected(server.url, options);
  return client && calling(stage, { server, client });
}

/** @param {{ server: Server, client: ClientProcess }} both @returns {Arranged} */
function connecting({ server, client }) {
  return { server, client, begin: (options) => client.connect(PATIENCE_MS, options) };
}

/** @param {Stage} stage @param {{ server: Server, client: ClientProcess }} both @returns {Arranged} */
function calling(stage, { server, client }) {
  let calls = 0;
  const begin = (options = {}) =>
    client.call(
      'read',
      { key: `l-${(calls += 1)}` },
      { ...safeMark(stage), ...options },
      PATIENCE_MS,
    );
  return { server, client, begin };
}
