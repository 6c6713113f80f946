import { setTimeout as delay } from 'node:timers/promises';
import { check, clock, interruptionMs, longestWaits } from '../chaos/check.mjs';
import { CLIENT_KINDS } from '../chaos/clients/index.mjs';
import { makeCalls } from '../chaos/load.mjs';
import { table } from '../chaos/report.mjs';
import { startFailoverStage } from './stage.mjs';

/** Before the first change, and after each. */
const AROUND_MS = 2_000;

/**
 * Calls of every kind of client, while the primary of Redis changes or slots move. No node fails: every
 * call is answered, or was refused and did not run.
 *
 * @param {object} options
 * @param {import('./stage.mjs').Change} options.change
 * @param {number} options.seed
 * @param {number} options.rounds
 * @param {number} options.rate calls in a second
 * @param {number} [options.replicas] of `redis(url, options)`
 * @param {readonly string[]} [options.only] the kinds of clients
 * @param {(text: string) => void} [options.print]
 */
export async function failover({
  change,
  seed,
  rounds,
  rate,
  replicas = 0,
  only,
  print = console.log,
}) {
  const stage = await startFailoverStage(change, { replicas });
  try {
    const over = new AbortController();
    const changeAll = async () => {
      await delay(AROUND_MS);
      for (let round = 0; round < rounds; round++) {
        const from = Date.now();
        const changedAt = await stage.store.change();
        print(`${clock(from)} ${change}: another one after ${changedAt - from} ms`);
        await delay(AROUND_MS);
      }
    };
    /** @type {Promise<void> | undefined} */
    let changing;
    const load = await makeCalls({
      origin: stage.origin,
      seed,
      rate,
      until: over.signal,
      ...(only !== undefined && { only }),
      onOpen: () => {
        changing = changeAll().finally(() => over.abort());
      },
    });
    await changing;
    const violations = check(load, stage.journal(), []).filter(
      // The record of a task that the replica did not have: nobody knows the task any more.
      ({ kind, what }) =>
        !(kind === 'unexplained' && replicas === 0 && /^longwire-tasks .* is not known/.test(what)),
    );
    for (const key of await stage.store.keysThatStay()) {
      violations.push({ kind: 'breach', what: `no time to live: ${key}` });
    }
    return {
      load,
      violations,
      longest: longestWaits(load, stage.journal()),
      outputs: stage.nodes.map(({ output }) => output()),
    };
  } finally {
    await stage.stop();
  }
}

/** @type {Record<import('./stage.mjs').Change, string>} */
const SHOWN = {
  killed: 'Sentinel: the primary is killed',
  'handed-over': 'Sentinel: another one in order',
  'shard-killed': 'Redis Cluster: a primary is killed',
  'shard-handed-over': 'Redis Cluster: another one in order',
  resharded: 'Redis Cluster: slots move',
};

/**
 * What calls came to under each change, as a Markdown table.
 *
 * @param {ReadonlyMap<import('./stage.mjs').Change, { load: import('../chaos/load.mjs').Load }>} trials
 */
export function failoverTable(trials) {
  const head = [
    'what changes',
    'calls',
    'answered',
    'outcome unknown',
    'did not run',
    'sent again',
  ];
  const rows = [...trials].map(([change, { load }]) => {
    const { made, retries } = load;
    const count = (/** @type {string} */ is) =>
      made.filter(({ outcome }) => outcome.is === is).length;
    const longest = (/** @type {boolean} */ hasSession) => {
      const own = made.filter(({ client }) => sessionOf(client) === hasSession);
      return `${(Math.max(0, ...own.map(interruptionMs)) / 1_000).toFixed(1)} s`;
    };
    const again = [...retries.values()].reduce((sum, one) => sum + one, 0);
    return [
      SHOWN[change],
      made.length,
      count('answered'),
      count('outcome-unknown'),
      count('did-not-run'),
      again,
      longest(true),
      longest(false),
    ];
  });
  return table([...head, 'longest wait', '2026-07-28'], rows);
}

/** @param {string} name */
const sessionOf = (name) => CLIENT_KINDS.find((kind) => kind.name === name)?.hasSession === true;
