/**
 * `principals`: a thousand users on one client by `client.as`, and on a client each, in both eras.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { machine, table } from '../report/markdown.mjs';
import { spread } from '../report/statistics.mjs';

const runFile = promisify(execFile);
const TRIAL = fileURLToPath(new URL('trial.mjs', import.meta.url));
const NO_LIMIT = { max: 1_000_000_000, windowMs: 1000 };
const FIGURES = /** @type {const} */ ([
  ['heapKb', 'heap a user, KB', 1],
  ['rssKb', 'RSS a user, KB', 1],
  ['firstMs', 'CPU of the first call, ms', 2],
  ['nextMs', 'CPU of each further call, ms', 3],
]);

/**
 * @param {{ rounds: number, sessions: number }} options
 * @returns {Promise<boolean>} whether everything could be measured
 */
export async function run({ rounds, sessions }) {
  const content = /** @type {const} */ ([{ type: 'text', text: 'done' }]);
  const serving = await serve({
    port: 0,
    auth: ({ headers }) => ({ id: String(headers.authorization) }),
    maxSessions: 10 * sessions,
    maxSessionsPerAddress: 10 * sessions,
    rates: { perAddress: NO_LIMIT, perPrincipal: NO_LIMIT },
    create: () => {
      const server = new McpServer({ name: 'principals', version: '1.0.0' });
      server.registerTool('work', {}, () => ({ content: [...content] }));
      return server;
    },
  });
  /** @type {string[][]} */
  const rows = [];
  try {
    for (const era of ['2026-07-28', '2025-11-25']) {
      /** @type {Record<string, Record<string, number>[]>} */
      const samples = { as: [], each: [] };
      for (let round = 0; round < rounds; round++) {
        console.error(`principals: ${era}, round ${round + 1} of ${rounds}`);
        for (const how of ['as', 'each']) {
          const words = ['--expose-gc', TRIAL, serving.url, era, how, String(sessions)];
          const { stdout } = await runFile(process.execPath, words);
          samples[how]?.push(JSON.parse(stdout));
        }
      }
      for (const [key, title, digits] of FIGURES) {
        const [own = Number.NaN, other = Number.NaN] = ['as', 'each'].map(
          (how) => spread((samples[how] ?? []).map((sample) => sample[key] ?? Number.NaN)).median,
        );
        const ratio = (own / other).toFixed(2);
        rows.push([`${era}: ${title}`, own.toFixed(digits), other.toFixed(digits), ratio]);
      }
    }
  } finally {
    await serving.close();
  }
  console.log(`\n${machine()}\n`);
  console.log(table([`${sessions} users`, 'client.as', 'a client each', 'ratio'], rows));
  return rows.every((cells) => !cells.includes('NaN'));
}
