import { setTimeout as sleep } from 'node:timers/promises';
import { told } from '../findings.mjs';
import { isAnswer } from './a-cut.mjs';

const PATIENCE_MS = 5000;
const CALLS = ['k-1', 'k-2', 'k-3'];

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'K',
  title: 'Answers that nobody asked for',
  demand:
    'Before the answer to each call comes one with an unknown id and one whose id has the wrong ' +
    'type (`"1"` for 1), and after it another with the same id: every call gets its own result, and ' +
    'all the others are dropped and counted.',
  async run(stage) {
    const server = await stage.sseServer();
    const client = await stage.connected(server.url);
    if (client === undefined) return;
    const before = (await client.stats()).droppedAnswers ?? 0;
    let foreign = 0;
    server.answerCall = (session, answer) => {
      const wrong = { content: [{ type: 'text', text: 'of another' }] };
      foreign += 3;
      session.send({ id: 987_654_321, result: wrong });
      session.send({ id: typeof answer.id === 'number' ? String(answer.id) : 1, result: wrong });
      session.send(answer);
      session.send({ id: answer.id, result: wrong });
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
      dropped === foreign,
      dropped === undefined ? 'not counted' : `${dropped} of ${foreign}`,
    );
    await stage.finish(client, server);
  },
};
