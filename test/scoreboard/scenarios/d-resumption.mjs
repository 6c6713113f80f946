import { setTimeout as sleep } from 'node:timers/promises';
import { told } from '../findings.mjs';
import { until } from '../server/http.mjs';
import { isAnswer } from './a-cut.mjs';

const PATIENCE_MS = 10_000;
const CALLS = /** @type {const} */ ([
  ['read', 'd-read'],
  ['put', 'd-put'],
  ['write', 'd-write'],
]);

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'D',
  title: 'Resumption',
  demand:
    'Events have ids, and the stream is cut with calls outstanding, a write among them. The resumed ' +
    'stream names the same session and is cut again before its first event. Each result arrives ' +
    'exactly once, nothing runs twice, there is no second handshake, and both resumed streams ask ' +
    'for what came after the last event that was seen.',
  async run(stage) {
    const server = await stage.sseServer();
    server.eventIds = true;
    // Otherwise a client that waits as the specification suggests would take several seconds.
    server.preamble = 'retry: 300\n\n';
    const client = await stage.connected(server.url);
    if (client === undefined) return;
    const session = server.opened[0];
    const early = await client.call('read', { key: 'd-early' }, {}, PATIENCE_MS);
    stage.check('a call before the cut succeeds', isAnswer(early, 'read', 'd-early'), told(early));

    /** @param {string} data */
    const notify = (data) =>
      session?.send({ method: 'notifications/message', params: { level: 'info', data } });
    server.workshop.holding = true;
    const calls = CALLS.map(([tool, key]) => client.call(tool, { key }, {}, PATIENCE_MS));
    await until(() => CALLS.every(([, key]) => server.workshop.executions(key) === 1), 3000);
    notify('before the cut');
    await sleep(100);
    const lastId = `${session?.id}:${session?.sent}`;
    server.resumedToCut = 1;
    server.cut();
    await until(() => server.openStreams === 0, 1000);
    // What happens while nobody listens is replayed.
    notify('during the cut');
    server.workshop.release();

    const outcomes = await Promise.all(calls);
    for (const [index, [tool, key]] of CALLS.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      const runs = server.workshop.executions(key);
      stage.check(
        `the call of ${tool} gets its result, run once`,
        isAnswer(outcome, tool, key) && runs === 1,
        `${told(outcome)}, run ${runs} ×`,
      );
    }
    const resumed = server.streams.slice(1);
    const right = resumed.filter((stream) => stream.resumed && stream.lastEventId === lastId);
    stage.check(
      'two streams resume after the last event that was seen',
      resumed.length === 2 && right.length === 2,
      `${right.length} of ${resumed.length}`,
    );
    const handshakes = server.initializes - 1;
    stage.check('no second handshake', handshakes === 0, String(handshakes));
    await sleep(200);
    const { notifications = 0, droppedAnswers } = await client.stats();
    stage.check(
      'no notification arrives twice',
      notifications <= 2,
      `${notifications} of 2 arrived`,
    );
    stage.figure('answers that were dropped', droppedAnswers ?? 'not counted');
    await stage.finish(client, server);
  },
};
