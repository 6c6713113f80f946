/**
 * `cluster`: a call whose session is on the node that is asked, on another node, and on one node without
 * Redis: latency, and CPU of all processes together (client, nodes, Redis). What Redis does for a call,
 * how many sessions are opened in a second, and what an idle one and a kept kilobyte take in Redis.
 */
import { Child } from '../calls/child.mjs';
import { againstTarget, machine, table, withSpread } from '../report/markdown.mjs';
import { percentile, ratioSpread, spread } from '../report/statistics.mjs';
import { startMeasuredRedis } from './redis.mjs';

const STEP_MS = 120_000;
const IDLE_SESSIONS = 2_000;
const KEPT_CALLS = 400;
const KEPT_BYTES = 1_024;
const LOADS = [1, 16];

/**
 * Where a call goes, by name, and which tool it calls: `look` only reads, and need not be kept before it
 * runs. The first is what the others are compared with.
 */
const WAYS = /** @type {const} */ ([
  ['one node, no Redis', 'alone', 'alone', 'echo'],
  ['the session is here', 'first', 'first', 'echo'],
  ['here, a tool that reads', 'first', 'first', 'look'],
  ['the session is elsewhere', 'first', 'second', 'echo'],
]);
/** How many times the first way, at most: of p50 and p99, and of CPU. */
const TARGETS = [
  { latency: 1, cpu: 1 },
  { latency: 1.3, cpu: 1.3 },
  { latency: 1.3, cpu: 1.3 },
  { latency: 2, cpu: 2.5 },
];

/**
 * @typedef {Record<
 *   'p50' | 'p99' | 'rate' | 'cpuUs' | 'alone' | 'first' | 'second' | 'redisUs' | 'commands' | 'bytes',
 *   number
 * >} Sample
 */

/** Whose CPU it is, in µs. */
const PROCESSES = /** @type {const} */ ([
  ['alone', 'node alone'],
  ['first', 'owner'],
  ['second', 'other node'],
  ['redisUs', 'Redis'],
]);

/**
 * @param {{ rounds: number, calls: number }} options
 * @returns {Promise<boolean>} whether everything could be measured
 */
export async function run({ rounds, calls }) {
  const redis = await startMeasuredRedis();
  /** @type {Record<string, Child>} */
  const nodes = {};
  const client = new Child(new URL('./client.mjs', import.meta.url));
  try {
    /** @type {Record<string, string>} */
    const urls = {};
    for (const [name, given] of Object.entries({
      alone: {},
      first: { url: redis.url },
      second: { url: redis.url },
    })) {
      const node = new Child(new URL('./node.mjs', import.meta.url), [JSON.stringify(given)]);
      nodes[name] = node;
      ({ url: urls[name] } = await node.ask(undefined, STEP_MS));
    }
    await client.ask(undefined, STEP_MS);

    /** CPU until now, by node. @returns {Promise<Record<string, number>>} */
    const cpuOfNodes = async () => {
      const told = Object.entries(nodes).map(async ([name, node]) => {
        const { cpuMs } = await node.ask('read', STEP_MS);
        return [name, cpuMs];
      });
      return Object.fromEntries(await Promise.all(told));
    };
    /** @param {Record<string, unknown>} wanted */
    const measured = async (wanted) => {
      const [before, cpuBefore] = [await redis.read(), await cpuOfNodes()];
      const told = await client.ask(wanted, STEP_MS);
      const [after, cpuAfter] = [await redis.read(), await cpuOfNodes()];
      const { latencies, tookMs, cpuMs } = told;
      const sorted = latencies.toSorted(
        (/** @type {number} */ a, /** @type {number} */ b) => a - b,
      );
      const count = sorted.length;
      /** @param {string} name */
      const nodeUs = (name) => (((cpuAfter[name] ?? 0) - (cpuBefore[name] ?? 0)) / count) * 1_000;
      const byNode = { alone: nodeUs('alone'), first: nodeUs('first'), second: nodeUs('second') };
      const redisUs = ((after.cpuMs - before.cpuMs) / count) * 1_000;
      return {
        p50: percentile(sorted, 0.5),
        p99: percentile(sorted, 0.99),
        rate: (count / tookMs) * 1_000,
        ...byNode,
        redisUs,
        cpuUs: (cpuMs / count) * 1_000 + byNode.alone + byNode.first + byNode.second + redisUs,
        commands: (after.commands - before.commands) / count,
        bytes: (after.bytes - before.bytes) / count,
        memory: after.memory - before.memory,
      };
    };

    /** @type {Map<string, Sample[]>} */
    const samples = new Map();
    for (let round = -1; round < rounds; round++) {
      // The first one only warms up.
      console.error(`cluster: round ${round + 1} of ${rounds}`);
      for (const atOnce of LOADS) {
        for (let turn = 0; turn < WAYS.length; turn++) {
          const way = WAYS[(turn + round + 1) % WAYS.length];
          if (way === undefined) continue;
          const [name, opened, used, tool] = way;
          const told = await measured({
            kind: 'calls',
            opened: urls[opened],
            used: urls[used],
            tool,
            count: calls,
            atOnce,
          });
          const key = `${name}, ${atOnce}`;
          if (round >= 0) samples.set(key, [...(samples.get(key) ?? []), told]);
        }
      }
    }
    console.log(`\n${machine()}\n`);
    const isComplete = reportCalls(samples, rounds);

    const openings = { kind: 'sessions', tool: '', atOnce: 16, used: '' };
    const rows = [];
    for (const name of ['alone', 'first']) {
      const told = await measured({ ...openings, opened: urls[name], count: IDLE_SESSIONS });
      rows.push([
        name === 'alone' ? 'one node, no Redis' : 'a node of a cluster',
        told.rate.toFixed(0),
        (told.cpuUs / 1_000).toFixed(2),
        told.commands.toFixed(1),
        name === 'alone' ? '–' : (told.memory / IDLE_SESSIONS).toFixed(0),
      ]);
    }
    const head = ['sessions', 'opened a second', 'CPU of one, ms', 'commands', 'bytes in Redis'];
    console.log(`\n${table(head, rows)}`);

    const kept = await measured({
      kind: 'calls',
      opened: urls['first'],
      used: urls['first'],
      tool: 'echo',
      count: KEPT_CALLS,
      atOnce: 1,
      bytes: KEPT_BYTES,
    });
    const perKilobyte = kept.memory / ((KEPT_CALLS * KEPT_BYTES) / 1_024);
    console.log(`\nA kept kilobyte of answers takes ${perKilobyte.toFixed(0)} bytes in Redis.`);
    return isComplete;
  } finally {
    await Promise.all([client, ...Object.values(nodes)].map((child) => child.close()));
    await redis.close();
  }
}

/**
 * @param {Map<string, Sample[]>} samples
 * @param {number} rounds
 */
function reportCalls(samples, rounds) {
  for (const atOnce of LOADS) {
    const [[base]] = WAYS;
    const bases = samples.get(`${base}, ${atOnce}`) ?? [];
    const rows = WAYS.map(([name], at) => {
      const of = samples.get(`${name}, ${atOnce}`) ?? [];
      /** @param {keyof Sample} figure @param {number} digits */
      const cell = (figure, digits) => withSpread(spread(of.map((one) => one[figure])), digits);
      /** @param {keyof Sample} figure @param {number} target */
      const ratio = (figure, target) => {
        const { median } = ratioSpread(
          of.map((one) => one[figure]),
          bases.map((one) => one[figure]),
        );
        return at === 0
          ? '1'
          : againstTarget(median, median <= target, { unit: `× (at most ${target})` });
      };
      const target = TARGETS[at] ?? { latency: 1, cpu: 1 };
      return [
        name,
        cell('p50', 2),
        ratio('p50', target.latency),
        cell('p99', 2),
        ratio('p99', target.latency),
        cell('cpuUs', 0),
        ratio('cpuUs', target.cpu),
        ...PROCESSES.map(([figure]) => spread(of.map((one) => one[figure])).median.toFixed(0)),
        cell('rate', 0),
        cell('commands', 1),
        cell('bytes', 0),
      ];
    });
    const head = [
      `${atOnce} at once`,
      'p50, ms',
      'ratio',
      'p99, ms',
      'ratio',
      'CPU of all, µs',
      'ratio',
      ...PROCESSES.map(([, title]) => title),
      'calls a second',
      'commands of Redis',
      'bytes of Redis',
    ];
    console.log(`${table(head, rows)}\n`);
  }
  return [...samples.values()].every((of) => of.length === rounds);
}
