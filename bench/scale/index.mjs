/**
 * `scale`: what happens with a hundred nodes and a million sessions, simulated with the costs that were
 * measured on three: a node dies, ten die, every stream is cut, one session is hot, Redis stalls.
 */
import { readFileSync } from 'node:fs';
import { table } from '../report/markdown.mjs';
import { percentile } from '../report/statistics.mjs';
import { SimulatedCluster } from './cluster.mjs';

/** @typedef {import('./cluster.mjs').Setting} Setting */

const MEASURED = new URL('./measured.json', import.meta.url);
const SEED = 19;

/** @returns {{ costs: import('./cluster.mjs').Costs, threeNodes: Record<'hereP50Ms' | 'elsewhereP50Ms' | 'longestAfterKillMs', number> }} */
export function readMeasured() {
  return JSON.parse(readFileSync(MEASURED, 'utf8'));
}

/** A hundred nodes, each with ten thousand sessions, which are called once in a minute and a half. */
const HUNDRED = {
  nodes: 100,
  shards: 6,
  sessions: 1_000_000,
  callsPerSecond: 10_000,
  leaseMs: 2_000,
  retryMs: 1_000,
  streaming: 0.5,
};

/** @typedef {{ name: string, setting: Partial<Setting>, act: (cluster: SimulatedCluster) => void, untilMs: number }} Scenario */

/** @type {Scenario[]} */
export const SCENARIOS = [
  { name: 'nothing happens', setting: {}, act: () => {}, untilMs: 8_000 },
  { name: 'nothing happens, sticky', setting: { stickiness: 1 }, act: () => {}, untilMs: 8_000 },
  { name: 'one node dies', setting: {}, act: (cluster) => cluster.kill(1), untilMs: 8_000 },
  { name: 'ten nodes die', setting: {}, act: (cluster) => cluster.kill(10), untilMs: 8_000 },
  {
    name: 'every stream is cut',
    setting: {},
    act: (cluster) => cluster.cutEverything(),
    untilMs: 12_000,
  },
  {
    name: 'one session, 1,000 calls a second',
    setting: {},
    act: (cluster) => cluster.heat({ callsPerSecond: 1_000, untilMs: 8_000 }),
    untilMs: 8_000,
  },
  {
    name: 'one session, 5,000 calls a second',
    setting: {},
    act: (cluster) => cluster.heat({ callsPerSecond: 5_000, untilMs: 8_000 }),
    untilMs: 8_000,
  },
  {
    name: 'one of six shards of Redis stalls for 2 s',
    setting: {},
    act: (cluster) => cluster.stall(0, 2_000),
    untilMs: 8_000,
  },
  {
    name: 'one shard of Redis alone',
    setting: { shards: 1 },
    act: () => {},
    untilMs: 8_000,
  },
];

/** When what happens, happens. */
const ACT_AT_MS = 2_000;
/** How long calls that are under way may still take. */
const REST_MS = 20_000;

/** @param {Partial<Setting>} given @param {Pick<Scenario, 'act' | 'untilMs'>} scenario */
export function simulate(given, { act, untilMs }) {
  const { costs } = readMeasured();
  const setting = { seed: SEED, costs, ...HUNDRED, ...given };
  const cluster = new SimulatedCluster(setting);
  cluster.callUntil(untilMs);
  cluster.clock.runUntil(ACT_AT_MS);
  act(cluster);
  cluster.clock.runUntil(untilMs);
  const busiest = (/** @type {{ busyMs: number }[]} */ stations) =>
    Math.max(...stations.map(({ busyMs }) => busyMs)) / untilMs;
  const nodes = busiest(cluster.nodes.map(({ at }) => at));
  const shards = busiest(cluster.shards);
  cluster.clock.runUntil(untilMs + REST_MS);
  const sorted = cluster.told.latencies.toSorted((a, b) => a - b);
  return {
    told: cluster.told,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    nodes,
    shards,
  };
}

/** @returns {Promise<boolean>} whether every call was accounted for */
export async function run() {
  let isComplete = true;
  const rows = SCENARIOS.map(({ name, setting, ...scenario }) => {
    console.error(`scale: ${name}`);
    const { told, p50, p99, nodes, shards } = simulate(setting, scenario);
    const { sent, answered, unknown, taken, attached, longestMs } = told;
    isComplete &&= answered + unknown === sent;
    return [
      name,
      p50.toFixed(2),
      p99.toFixed(1),
      (longestMs / 1_000).toFixed(2),
      `${taken}`,
      `${attached}`,
      `${unknown}`,
      `${(nodes * 100).toFixed(0)} %`,
      `${(shards * 100).toFixed(0)} %`,
    ];
  });
  const head = [
    '100 nodes, a million sessions',
    'p50, ms',
    'p99, ms',
    'longest, s',
    'taken over',
    'streams back',
    'unknown',
    'busiest node',
    'busiest shard',
  ];
  console.log(`\n${table(head, rows)}`);
  return isComplete;
}
