import { setTimeout as sleep } from 'node:timers/promises';
import { told } from '../measurements.mjs';
import { StatelessServer } from '../server/stateless.mjs';
import { StreamableServer } from '../server/streamable.mjs';
import { isAnswer } from './a-cut.mjs';

/** @typedef {import('../stage.mjs').Stage} Stage */

const AWAY_MS = 300;
const PATIENCE_MS = 8000;
const CALLS = /** @type {const} */ ([
  ['read', 'q-read'],
  ['write', 'q-write'],
]);

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'Q',
  title: 'A server that comes back in another era',
  demand:
    'A server of sessions (2025-11-25) is restarted and is stateless (2026-07-28) now, at the same ' +
    'port, and the other way round: the calls after that succeed and run once, and the tools can be ' +
    'listed, without the program doing anything.',
  transports: { eras: run },
};

/** @param {Stage} stage */
async function run(stage) {
  await stage.inParts({
    'now stateless': (part) => changed(part, new StreamableServer(), new StatelessServer()),
    'now with sessions': (part) => changed(part, new StatelessServer(), new StreamableServer()),
  });
}

/**
 * @param {Stage} stage
 * @param {StreamableServer | StatelessServer} server
 * @param {StreamableServer | StatelessServer} next
 */
async function changed(stage, server, next) {
  await stage.place(server);
  const client = await stage.connected(server.url);
  if (client === undefined) return;
  const good = await client.call('write', { key: 'q-good' }, {}, PATIENCE_MS);
  stage.check('a call before that works', isAnswer(good, 'write', 'q-good'), told(good));

  await server.http.away();
  server.becomes(next);
  await sleep(AWAY_MS);
  await next.http.back();

  const outcomes = await Promise.all(
    CALLS.map(([tool, key]) => client.call(tool, { key }, {}, PATIENCE_MS)),
  );
  for (const [index, [tool, key]] of CALLS.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) continue;
    const runs = next.workshop.executions(key);
    stage.check(
      `the call of ${tool} succeeds, run once`,
      isAnswer(outcome, tool, key) && runs === 1,
      `${told(outcome)}, run ${runs} ×`,
    );
  }
  const listed = await client.listTools(PATIENCE_MS);
  const all = listed.tools === next.tools.length;
  stage.check('the tools can be listed', all, listed.ok ? `${listed.tools}` : told(listed));
  await stage.finish(client, next);
}
