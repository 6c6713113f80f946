/**
 * `npm run conformance:client -- [--suite all] [--scenario NAME]`: runs the official conformance
 * suite against the client, and says what of it is met.
 */
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { REQUIRED, REQUIREMENTS } from './requirements.mjs';
import { runScenario } from './run-scenario.mjs';
import { allRuns, prepareSuite } from './suite.mjs';

const USAGE = `Usage: npm run conformance:client -- [--suite required|all] [--scenario NAME]

  --suite     required (default): what the revisions of the specification demand;
              all: everything that the suite has, extensions too
  --scenario  only this one; may be repeated`;

/**
 * @typedef {import('./requirements.mjs').Run} Run
 * @typedef {import('./run-scenario.mjs').ScenarioResult} ScenarioResult
 */

function readArguments() {
  const { values } = parseArgs({
    options: {
      suite: { type: 'string', default: 'required' },
      scenario: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (!['required', 'all'].includes(values.suite)) {
    throw new TypeError(`--suite is required or all, not ${values.suite}`);
  }
  return values;
}

/** @param {{ suite: string, scenario: string[] }} options @returns {Promise<Run[]>} */
async function chosenRuns({ suite, scenario: names }) {
  const runs = suite === 'all' || names.length > 0 ? await allRuns() : [...REQUIRED];
  for (const name of names) {
    if (!runs.some(({ scenario }) => scenario === name)) {
      throw new TypeError(`No such scenario: ${name}`);
    }
  }
  return names.length === 0 ? runs : runs.filter(({ scenario }) => names.includes(scenario));
}

/** @param {Run[]} runs @returns {Promise<ScenarioResult[]>} in the order of the runs */
function runAll(runs) {
  return Promise.all(
    runs.map(async (run) => {
      const result = await runScenario(run);
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

/** @param {ScenarioResult[]} results */
function totalsOf(results) {
  const lines = Object.keys(REQUIREMENTS).flatMap((version) => {
    const those = results.filter(({ run }) => run.required && run.specVersion === version);
    return those.length === 0 ? [] : [`${version}: ${metOf(those)}`];
  });
  const others = results.filter(({ run }) => !run.required);
  if (others.length > 0) lines.push(`not required: ${metOf(others)}`);
  const missed = others.filter(({ failure }) => failure !== undefined);
  lines.push(...missed.map(({ run }) => `  ${nameOf(run)}`));
  return lines.join('\n');
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
  const results = await runAll(await chosenRuns(options));
  process.stdout.write(`\n${totalsOf(results)}\n`);
  const hasFailed = results.some(({ run, failure }) => run.required && failure !== undefined);
  // Asked for by name, it is required.
  const isMissed =
    options.scenario.length > 0 && results.some(({ failure }) => failure !== undefined);
  if (hasFailed || isMissed) process.exitCode = 1;
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
