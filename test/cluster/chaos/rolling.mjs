import { setTimeout as delay } from 'node:timers/promises';
import { check, clock, longestWaits, shownAs } from './check.mjs';
import { makeCalls } from './load.mjs';
import { outcomeTable } from './report.mjs';
import { startStage } from './stage.mjs';

/** Before the first node stops, and after each has started again. */
const AROUND_MS = 1_500;

/**
 * Calls of every kind of client, while one node after the other is stopped in order and started again, as in
 * an upgrade. No client may get an error; nothing is sent again for it.
 *
 * @param {object} options
 * @param {number} options.seed
 * @param {number} options.rate calls in a second
 * @param {readonly string[]} [options.only] the kinds of clients
 * @param {(text: string) => void} [options.print]
 */
export async function rolling({ seed, rate, only, print = console.log }) {
  const stage = await startStage({ seed });
  try {
    const over = new AbortController();
    /** @type {Promise<(number | null)[]> | undefined} */
    let restarting;
    const load = await makeCalls({
      origin: stage.front.origin,
      seed,
      rate,
      until: over.signal,
      ...(only !== undefined && { only }),
      onOpen: () => {
        restarting = restartAll(stage, print).finally(() => over.abort());
      },
    });
    const codes = (await restarting) ?? [];
    const violations = check(load, stage.journal(), []);
    for (const code of codes) {
      if (code !== 0) violations.push({ kind: 'failed', what: `a node ended with ${code}` });
    }
    for (const { client, call, outcome } of load.made) {
      if (outcome.is === 'did-not-run') {
        violations.push({ kind: 'failed', what: `${client} ${call.key}: ${outcome.text}` });
      }
    }
    for (const [name, retried] of load.retries) {
      if (retried === 0) continue;
      violations.push({ kind: 'failed', what: `${shownAs(name)}: ${retried} were sent again` });
    }
    return {
      load,
      violations,
      tables: [outcomeTable(load)],
      longest: longestWaits(load, stage.journal()),
      outputs: stage.nodes.map(({ process }) => process.output()),
    };
  } finally {
    await stage.stop();
  }
}

/**
 * @param {import('./stage.mjs').Stage} stage
 * @param {(text: string) => void} print
 * @returns {Promise<(number | null)[]>} the exit codes
 */
async function restartAll({ nodes }, print) {
  const codes = [];
  await delay(AROUND_MS);
  for (const { name, process } of nodes) {
    const from = Date.now();
    codes.push(await process.stop());
    const stoppedMs = Date.now() - from;
    await process.start();
    print(`${clock(from)} ${name} stopped within ${stoppedMs} ms, and is there again`);
    await delay(AROUND_MS);
  }
  return codes;
}
