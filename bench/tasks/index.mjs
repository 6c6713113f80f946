/**
 * `tasks`: a call that becomes a task against the same call held open: requests, bytes, CPU of both
 * processes, and how long after its end the program has its result. In both eras; in the newest one by
 * notifications, and by polls alone.
 */
import { Child } from '../calls/child.mjs';
import { machine, table } from '../report/markdown.mjs';
import { spread } from '../report/statistics.mjs';

/** Calls of a sample, all under way at once. */
const CALLS = 50;
const STEP_MS = 120_000;
const POLL_MS = 1_000;

/** How a call is made, by name in the table. The first of an era is what the others are compared with. */
const WAYS = /** @type {const} */ ([
  ['2026-07-28', 'held open', { tool: 'held' }],
  ['2026-07-28', 'task, heard', { tool: 'task' }],
  ['2026-07-28', 'task, polled', { tool: 'task', isDeaf: true }],
  ['2025-11-25', 'held open', { tool: 'held' }],
  ['2025-11-25', 'task', { tool: 'task' }],
]);

const FIGURES = /** @type {const} */ ([
  ['requests', 'requests a call', 2],
  ['bytes', 'bytes a call', 0],
  ['clientCpuMs', 'CPU of the client, ms', 2],
  ['serverCpuMs', 'CPU of the server, ms', 2],
  ['lateMs', 'added at the end, median, ms', 1],
  ['latestMs', 'added at the end, at most, ms', 1],
]);

/**
 * @param {{ rounds: number }} options
 * @returns {Promise<boolean>} whether everything could be measured
 */
export async function run({ rounds }) {
  /** @type {string[][]} */
  const rows = [];
  for (const ms of [1_000, 10_000]) {
    /** @type {Map<string, Record<string, number>[]>} */
    const samples = new Map();
    for (let round = 0; round < rounds; round++) {
      console.error(`tasks: ${ms / 1_000} s, round ${round + 1} of ${rounds}`);
      for (const [era, name, way] of WAYS) {
        const key = `${era}, ${name}`;
        samples.set(key, [...(samples.get(key) ?? []), await sample({ era, ms, ...way })]);
      }
    }
    for (const [era, name] of WAYS) {
      const of = samples.get(`${era}, ${name}`) ?? [];
      const held = samples.get(`${era}, held open`) ?? [];
      const cells = FIGURES.map(([figure, , digits]) => {
        const { median, least, most } = figureOf(of, figure);
        const ratio = (median / figureOf(held, figure).median).toFixed(2);
        const times = name === 'held open' || figure.startsWith('late') ? '' : `, ${ratio}×`;
        return `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)}${times})`;
      });
      rows.push([`${ms / 1_000} s, ${era}, ${name}`, ...cells]);
    }
  }
  console.log(`\n${machine()}\n`);
  console.log(table([`${CALLS} calls at once`, ...FIGURES.map(([, title]) => title)], rows));
  return rows.every((cells) => cells.every((cell) => !cell.includes('NaN')));
}

/** @param {Record<string, number>[]} samples @param {string} figure */
function figureOf(samples, figure) {
  const values = samples.map((one) => one[figure] ?? Number.NaN);
  return { ...spread(values), least: Math.min(...values), most: Math.max(...values) };
}

/**
 * One sample, in two new processes.
 *
 * @param {{ era: string, tool: string, ms: number, isDeaf?: boolean }} way
 */
async function sample({ era, tool, ms, isDeaf = false }) {
  const server = new Child(new URL('./server.mjs', import.meta.url), [
    JSON.stringify({ pollIntervalMs: POLL_MS, isDeaf }),
  ]);
  try {
    const { url } = await server.ask(undefined, STEP_MS);
    const client = new Child(new URL('./client.mjs', import.meta.url), [
      JSON.stringify({ url, era }),
    ]);
    try {
      // What is done once is done.
      await client.ask({ tool, ms: 10, calls: 5 }, STEP_MS);
      await server.ask('read', STEP_MS);
      const { cpuMs, lateMs } = await client.ask({ tool, ms, calls: CALLS }, STEP_MS);
      const told = await server.ask('read', STEP_MS);
      const late = spread(lateMs);
      return {
        requests: told.requests / CALLS,
        bytes: told.bytes / CALLS,
        clientCpuMs: cpuMs / CALLS,
        serverCpuMs: told.cpuMs / CALLS,
        lateMs: late.median,
        latestMs: Math.max(...lateMs),
      };
    } finally {
      await client.close();
    }
  } finally {
    await server.close();
  }
}
