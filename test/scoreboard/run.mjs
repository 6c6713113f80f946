/**
 * `npm run scoreboard -- [letter…] [--client NAME] [--away-ms N]`: runs each scenario against
 * Longwire and its peers, and writes `docs/scoreboard.md` from what happened.
 */
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { killAllClients } from './client-process.mjs';
import { findClients, NAMES } from './clients.mjs';
import { seconds } from './findings.mjs';
import { documentOf, section, summary, writeDocument } from './report.mjs';
import { SCENARIOS } from './scenarios/index.mjs';
import { clearStages, Stage } from './stage.mjs';

const USAGE = `Usage: npm run scoreboard -- [A … M] [--client NAME] [--away-ms N]

  --client   only this one: ${NAMES.join(', ')}; may be repeated
  --away-ms  how long the server of scenario F is away (default 30000)

Only a run of everything writes docs/scoreboard.md; any other prints its tables.`;

/**
 * @typedef {import('./clients.mjs').Client} Client
 * @typedef {import('./scenarios/index.mjs').Scenario} Scenario
 * @typedef {import('./report.mjs').Result} Result
 * @typedef {import('./findings.mjs').Findings} Findings
 */

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      client: { type: 'string', multiple: true, default: [...NAMES] },
      'away-ms': { type: 'string', default: '30000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const letters = positionals.map((letter) => letter.toUpperCase());
  for (const letter of letters) {
    if (!SCENARIOS.some((scenario) => scenario.letter === letter)) {
      throw new TypeError(`No such scenario: ${letter}`);
    }
  }
  for (const name of values.client) {
    if (!NAMES.some((known) => known === name)) throw new TypeError(`No such client: ${name}`);
  }
  const awayMs = Number(values['away-ms']);
  if (!(awayMs > 0)) throw new TypeError(`--away-ms is a duration, not ${values['away-ms']}`);
  const scenarios = SCENARIOS.filter(
    ({ letter }) => letters.length === 0 || letters.includes(letter),
  );
  return { help: values.help, scenarios, names: values.client, awayMs };
}

/**
 * All clients side by side. What goes wrong in the scenario itself counts against the client: it
 * was not shown to do what is demanded.
 *
 * @param {Scenario} scenario
 * @param {readonly Client[]} clients
 * @param {{ awayMs: number }} settings
 * @returns {Promise<Result>}
 */
async function runScenario(scenario, clients, settings) {
  const startedAt = performance.now();
  /** @type {Map<Client, Findings>} */
  const findings = new Map();
  await Promise.all(
    clients.map(async (client) => {
      if (client.missing !== undefined) return;
      const stage = new Stage(client, settings);
      findings.set(client, stage.findings);
      try {
        await scenario.run(stage);
      } catch (error) {
        stage.check('the scenario runs to its end', false, String(error));
      }
      await stage.clear();
    }),
  );
  const verdicts = [...findings].map(
    ([{ name }, found]) => `${name} ${found.passed ? 'passes' : 'fails'}`,
  );
  console.error(
    `${scenario.letter}, ${seconds(performance.now() - startedAt)}: ${verdicts.join(', ')}`,
  );
  return { scenario, findings };
}

/** @returns {Promise<number>} the exit code: 0 Longwire passes all, 1 it does not, 2 wrong usage */
async function main() {
  let request;
  try {
    request = readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (request.help) {
    console.log(USAGE);
    return 0;
  }
  const { scenarios, names, awayMs } = request;
  const clients = await findClients(names);
  const startedAt = performance.now();
  // Being away is mostly waiting, which disturbs nobody.
  const waiting = scenarios.filter(({ letter }) => letter === 'F');
  const background = waiting.map((scenario) => runScenario(scenario, clients, { awayMs }));
  /** @type {Result[]} */
  const results = [];
  for (const scenario of scenarios) {
    if (!waiting.includes(scenario)) results.push(await runScenario(scenario, clients, { awayMs }));
  }
  results.push(...(await Promise.all(background)));
  results.sort((one, other) => one.scenario.letter.localeCompare(other.scenario.letter));

  const tookMs = performance.now() - startedAt;
  if (scenarios.length === SCENARIOS.length && names.length === NAMES.length) {
    const file = await writeDocument(documentOf(clients, results, { tookMs, awayMs }));
    console.log(`${summary(clients, results)}\n\nWritten to ${file}`);
  } else {
    console.log(results.map((result) => section(clients, result)).join('\n\n'));
    console.log(`\n${summary(clients, results)}`);
  }
  const longwire = clients.find(({ name }) => name === 'longwire');
  const failed = longwire && results.some(({ findings }) => !findings.get(longwire)?.passed);
  return failed ? 1 : 0;
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => {
    const ended = Promise.all([killAllClients(), clearStages()]);
    void ended.finally(() => process.exit(128 + constants.signals[signal]));
  });
}

process.exitCode = await main();
