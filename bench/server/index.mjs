/**
 * `server`: what serving costs, over every transport: Longwire's server, the official ones, their
 * peers, and a bare server. One contender at a time, in interleaved rounds whose order rotates.
 */
import { mkdirSync } from 'node:fs';
import { TRANSPORTS } from './contenders.mjs';
import { measureOnce } from './measure.mjs';
import { PEERS } from './peers.mjs';
import { report } from './report.mjs';

/** No round is started that would take longer than this, all in all. */
const BUDGET_MS = 8 * 60_000;

/**
 * @param {{ rounds: number, sessions: number, calls: number }} options
 * @returns {Promise<boolean>} whether every contender could be measured
 */
export async function run(options) {
  const notInstalled = await PEERS.install();
  mkdirSync(PEERS.folder, { recursive: true });
  const groups = TRANSPORTS.map((group) => ({
    group,
    records: group.contenders.map((contender) => ({
      contender,
      /** @type {import('./measure.mjs').Sample[]} */
      samples: [],
      /** @type {Set<string>} */
      notes: new Set(),
      failure: contender.role === 'peer' ? notInstalled : undefined,
    })),
  }));
  const records = groups.flatMap((group) => group.records);
  const startedAt = performance.now();
  let rounds = 0;
  for (; rounds < options.rounds; rounds++) {
    const elapsedMs = performance.now() - startedAt;
    // On a busy machine there are fewer rounds, at least one.
    if (rounds > 0 && elapsedMs + elapsedMs / rounds > BUDGET_MS) break;
    const round = rounds;
    console.error(`server: round ${round + 1} of ${options.rounds}`);
    for (let turn = 0; turn < records.length; turn++) {
      const record = records[(turn + round) % records.length];
      if (record) await measureOnce(record, options);
    }
  }
  report(groups, { ...options, rounds });
  return records.every(({ failure }) => failure === undefined);
}
