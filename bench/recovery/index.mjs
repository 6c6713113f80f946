/**
 * `recovery`: what happens when the connection is cut, and what a session bears. All contenders call one
 * server process, each from a process of its own, in interleaved rounds whose order rotates.
 */
import { machine } from '../report/markdown.mjs';
import { measure as measureAfterCut } from './after-cut/index.mjs';
import { BenchServer } from './bench-server.mjs';
import { measure as measureInFlight } from './in-flight/index.mjs';
import { measure as measureLargeResult } from './large-result/index.mjs';

/**
 * @param {{ rounds: number }} options
 * @returns {Promise<boolean>} whether every contender could be measured
 */
export async function run({ rounds }) {
  const server = await BenchServer.start();
  try {
    const measurements = [
      await measureAfterCut(server, rounds),
      await measureInFlight(server, rounds),
      await measureLargeResult(server, Math.ceil(rounds / 3)),
    ];
    console.log(`\n${machine()}`);
    for (const { report } of measurements) report();
    console.log('\n### Targets\n');
    for (const { targets } of measurements) targets();
    return measurements.every(({ measured }) => measured);
  } finally {
    await server.close();
  }
}
