/**
 * `npm run conformance:client -- [--suite all] [--scenario NAME]`, and the same for
 * `conformance:server`: runs the official conformance suite against the client, or against one URL of
 * a server made with the kit, and says what of it is met. With `--cluster` that server is three nodes.
 */
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { REQUIREMENTS, requiredRuns } from './requirements.mjs';
import { runScenario } from './run-scenario.mjs';
import { allRuns, prepareSuite } from './suite.mjs';

const USAGE = `Usage: npm run conformance:client -- [--suite required|all] [--scenario NAME]
       npm run conformance:server -- [--suite required|all] [--scenario NAME] [--cluster]

  --suite     required (default): what the revisions of the specification demand;
              all: everything that the suite has, extensions too
  --scenario  only this one; may be repeated
  --cluster   the server is three nodes over a Redis, behind a proxy that knows no sessions`;

/**
 * Why scenarios that are not required are missed, by how their names begin.
 *
 * @type {Readonly<Record<string, string>>}
 */
const CAUSES = {
  'tasks-status-notifications': 'the suite itself skips it',
};

/**
 * @typedef {import('./requirements.mjs').Role} Role
 * @typedef {import('./requirements.mjs').Run} Run
 * @typedef {import('./run-scenario.mjs').ScenarioResult} ScenarioResult
 */

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      suite: { type: 'string', default: 'required' },
      scenario: { type: 'string', multiple: true, default: [] },
      cluster: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (!['required', 'all'].includes(values.suite)) {
    throw new TypeError(`--suite is required or all, not ${values.suite}`);
  }
  const [role, ...more] = positionals;
  if ((role !== 'client' && role !== 'server') || more.length > 0) {
    throw new TypeError(`what is looked at is client or server, not ${positionals.join(' ')}`);
  }
  if (values.cluster && role === 'client') throw new TypeError('--cluster is of a server');
  return { ...values, role };
}

/** @param {{ role: Role, suite: string, scenario: string[] }} options @returns {Promise<Run[]>} */
async function chosenRuns({ role, suite, scenario: names }) {
  const runs = suite === 'all' || names.length > 0 ? await allRuns(role) : requiredRuns(role);
  for (const name of names) {
    if (!runs.some(({ scenario }) => scenario === name)) {
      throw new TypeError(`No such scenario: ${name}`);
    }
  }
  return names.length === 0 ? runs : runs.filter(({ scenario }) => names.includes(scenario));
}

/**
 * @param {Run[]} runs
 * @param {string} [url] of the server that is looked at
 * @returns {Promise<ScenarioResult[]>} in the order of the runs
 */
function runAll(runs, url) {
  return Promise.all(
    runs.map(async (run) => {
      const result = await runScenario(run, url);
      process.stdout.write(`${rowOf(result)}\n`);
      return result;
    }),
  );
}

/** @param {ScenarioResult} result */
function rowOf({ run, passed, total, failure }) {
  const checks = `${passed}/${total}`.padStart(7);
  const what = `${run.scenario.padEnd(44)} ${versionOf(run).padEnd(10)} ${checks}`;
  return failure === undefined ? `pass  ${what}` : `FAIL  ${what}  ${failure}`;
}

/** @param {Run} run */
const versionOf = ({ specVersion }) => specVersion || 'extension';

/** @param {Run} run */
const nameOf = (run) => `${run.scenario} (${versionOf(run)})`;

/** @param {Role} role @param {ScenarioResult[]} results */
function totalsOf(role, results) {
  const lines = Object.keys(REQUIREMENTS[role]).flatMap((version) => {
    const those = results.filter(({ run }) => run.required && run.specVersion === version);
    return those.length === 0 ? [] : [`${version}: ${metOf(those)}`];
  });
  const others = results.filter(({ run }) => !run.required);
  if (others.length > 0) lines.push(`not required: ${metOf(others)}`);
  const missed = others.filter(({ failure }) => failure !== undefined);
  lines.push(...missed.map((result) => `  ${nameOf(result.run)}: ${causeOf(result)}`));
  return lines.join('\n');
}

/** @param {ScenarioResult} result */
function causeOf({ run, failure }) {
  const known = Object.entries(CAUSES).find(([start]) => run.scenario.startsWith(start));
  return known?.[1] ?? failure;
}

/**
 * Through how many nodes the sessions went.
 *
 * @param {readonly import('../cluster/support/round-robin.mjs').Passed[]} passed
 */
function crossingsOf(passed) {
  /** @type {Map<string, Set<string>>} */
  const sessions = new Map();
  for (const { session, node } of passed) {
    if (session !== '') sessions.set(session, (sessions.get(session) ?? new Set()).add(node));
  }
  const several = [...sessions.values()].filter((nodes) => nodes.size > 1).length;
  return `${passed.length} requests; ${several} of ${sessions.size} sessions through several nodes`;
}

/** @param {ScenarioResult[]} results */
function metOf(results) {
  return `${results.filter(({ failure }) => failure === undefined).length} of ${results.length}`;
}

async function main() {
  const options = readArguments();
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const missing = await prepareSuite();
  if (missing !== undefined) throw new Error(`The suite cannot be run: ${missing}`);
  const runs = await chosenRuns(options);
  const server = options.role === 'server' ? await startServer(options) : undefined;
  let results;
  try {
    results = await runAll(runs, server?.url);
  } finally {
    await server?.close();
  }
  process.stdout.write(`\n${totalsOf(options.role, results)}\n`);
  if (server && 'passed' in server) process.stdout.write(`${crossingsOf(server.passed)}\n`);
  const hasFailed = results.some(({ run, failure }) => run.required && failure !== undefined);
  // Asked for by name, it is required.
  const isMissed =
    options.scenario.length > 0 && results.some(({ failure }) => failure !== undefined);
  if (hasFailed || isMissed) process.exitCode = 1;
}

/** Loaded only for the server: the client's runs need none of it. @param {{ cluster: boolean }} options */
async function startServer({ cluster }) {
  if (!cluster) {
    const { startConformanceServer } = await import('./server.mjs');
    return startConformanceServer();
  }
  const { whyNoRedis } = await import('../cluster/support/redis-server.mjs');
  const why = await whyNoRedis();
  if (why !== undefined) throw new Error(why);
  const { startConformanceCluster } = await import('./server-cluster.mjs');
  return startConformanceCluster();
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  // What runs is ended when this process exits.
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
