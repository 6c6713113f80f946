import { setTimeout as sleep } from 'node:timers/promises';
import { seconds, told } from '../measurements.mjs';
import { until } from '../server/http.mjs';
import { TOOLS } from '../server/workshop.mjs';
import { isAnswer } from './a-cut.mjs';

/**
 * @typedef {import('../stage.mjs').Stage} Stage
 * @typedef {import('../client-process.mjs').ClientProcess} ClientProcess
 * @typedef {import('../server/stateless.mjs').StatelessServer} StatelessServer
 */

const PATIENCE_MS = 3000;
const POLL_MS = 50;

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'O',
  title: 'Subscriptions that end',
  demand:
    'The stream of `subscriptions/listen` ends, with a result or cut, and at the same moment the ' +
    'tools become others: it is opened again, the tools are asked for again, and the program is ' +
    'told that they are others. What changes after that is told, too.',
  transports: { stateless: run },
};

/** @param {Stage} stage */
async function run(stage) {
  await stage.inParts({
    'with a result': (part) => ended(part, 'result'),
    cut: (part) => ended(part, 'cut'),
  });
}

/** @param {Stage} stage @param {'result' | 'cut'} how */
async function ended(stage, how) {
  const server = await stage.statelessServer();
  const client = await stage.connected(server.url);
  if (client === undefined) return;
  const tools = [...TOOLS];
  const another = () => {
    tools.push({ ...TOOLS[0], name: `new-${tools.length}`, description: 'New.', inputSchema });
    return [...tools];
  };

  const openMs = await until(() => server.subscriptions.size === 1, PATIENCE_MS);
  stage.check('it listens', openMs !== undefined, `${server.subscriptions.size} subscriptions`);
  await change(stage, client, 'a change is told', () => server.change(another()));

  const listsBefore = server.asked('tools/list');
  const streamsBefore = server.streams.length;
  await change(stage, client, 'a change while nobody listens is told', () => {
    server.endSubscriptions(how);
    server.change(another());
  });
  const againMs = await until(() => server.subscriptions.size === 1, PATIENCE_MS);
  const streams = server.streams.length - streamsBefore;
  stage.check(
    'it listens again',
    againMs !== undefined && streams > 0,
    againMs === undefined ? 'no' : `after ${streams} more`,
  );
  await until(() => server.asked('tools/list') > listsBefore, PATIENCE_MS);
  const lists = server.asked('tools/list') - listsBefore;
  stage.check('the tools are asked for again', lists > 0, `${lists} ×`);
  await change(stage, client, 'a change after that is told', () => server.change(another()));

  const listed = await client.listTools(PATIENCE_MS);
  stage.check(
    'the program gets all tools',
    listed.tools === tools.length,
    listed.ok ? `${listed.tools} of ${tools.length}` : told(listed),
  );
  const next = await client.call('read', { key: 'o-next' }, {}, PATIENCE_MS);
  stage.check('a call works', isAnswer(next, 'read', 'o-next'), told(next));
  await stage.finish(client, server);
}

/** @param {Stage} stage @param {ClientProcess} client @param {string} what @param {() => void} make */
async function change(stage, client, what, make) {
  const before = (await client.stats()).toolsChanged ?? 0;
  const startedAt = performance.now();
  make();
  let count = 0;
  while (count === 0 && performance.now() - startedAt < PATIENCE_MS) {
    await sleep(POLL_MS);
    count = ((await client.stats()).toolsChanged ?? 0) - before;
  }
  const ms = performance.now() - startedAt;
  stage.check(what, count > 0, count > 0 ? `within ${seconds(ms)}` : 'no');
}

const inputSchema = { type: 'object' };
