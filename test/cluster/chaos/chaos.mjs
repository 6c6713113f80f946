import { keysThatStay } from '../away/keys.mjs';
import { check, clock, longestWaits } from './check.mjs';
import { strike } from './faults.mjs';
import { makeCalls } from './load.mjs';
import { interruptionTable, outcomeTable } from './report.mjs';
import { startStage } from './stage.mjs';

/**
 * Calls of every kind of client, while nodes are killed, stalled and cut off from Redis.
 *
 * @param {object} options
 * @param {number} options.seed
 * @param {number} options.calls
 * @param {number} options.rate calls in a second
 * @param {readonly string[]} [options.only] the kinds of clients
 * @param {readonly import('./faults.mjs').FaultKind[]} [options.kinds] of faults
 * @param {(text: string) => void} [options.print]
 */
export async function chaos({ seed, calls, rate, only, kinds, print = console.log }) {
  const stage = await startStage({ seed });
  try {
    const done = new AbortController();
    /** @type {Promise<import('./faults.mjs').Fault[]> | undefined} */
    let striking;
    const load = await makeCalls({
      origin: stage.front.origin,
      seed,
      calls,
      rate,
      ...(only !== undefined && { only }),
      onOpen: () => {
        striking = strike(stage, {
          seed,
          signal: done.signal,
          ...(kinds !== undefined && { kinds }),
          onFault: ({ kind, node, from, to }) =>
            print(`${clock(from)} ${kind} ${node ?? 'clients'}, for ${to - from} ms`),
        });
      },
      onProgress: (settled) => {
        if (settled % 1_000 === 0) print(`${clock(Date.now())} ${settled} calls`);
      },
    });
    done.abort();
    const faults = (await striking) ?? [];
    const violations = check(load, stage.journal(), faults);
    for (const key of await keysThatStay(stage.redis.url)) {
      violations.push({ kind: 'breach', what: `no time to live: ${key}` });
    }
    return {
      load,
      faults,
      violations,
      tables: [outcomeTable(load), interruptionTable(load, faults)],
      longest: longestWaits(load, stage.journal()),
      outputs: stage.nodes.map(({ process }) => process.output()),
    };
  } finally {
    await stage.stop();
  }
}
