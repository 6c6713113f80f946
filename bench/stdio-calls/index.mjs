/**
 * `stdio-calls`: what a tool call over stdio costs the client. Every contender starts a server of
 * its own, of the same program, and what the server costs is not counted.
 */
import { fileURLToPath } from 'node:url';
import { measure, succeeded } from '../calls/measure.mjs';
import { report } from '../calls/report.mjs';
import { BARE_LOOP, CONTENDERS, LONGWIRE } from './contenders.mjs';

const SERVER = fileURLToPath(new URL('./server.mjs', import.meta.url));

/**
 * @param {{ rounds: number, calls: number }} options calls a sample
 * @returns {Promise<boolean>} whether every contender could be measured
 */
export async function run(options) {
  const measurement = await measure(
    {
      name: 'stdio-calls',
      // It is their child, and ends with them.
      startServer: async () => ({ target: SERVER, close: async () => {} }),
      contenders: CONTENDERS,
      bareLoop: BARE_LOOP,
      longwire: LONGWIRE,
      modes: [
        { title: 'Sequential', inFlight: 1 },
        { title: '32 calls in flight', inFlight: 32 },
      ],
    },
    options,
  );
  report([measurement], options);
  return succeeded(measurement);
}
