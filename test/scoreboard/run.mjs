/**
 * `npm run scoreboard -- [letter…] [--client NAME] [--transport NAME] [--away-ms N]`: runs each
 * scenario with each transport against Longwire and its peers, and writes `docs/scoreboard.md` and
 * `test/scoreboard/details.md` from what happened.
 */
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { killAllClients } from './client-process.mjs';
import { findClients, NAMES, TRANSPORTS } from './clients.mjs';
import { seconds } from './measurements.mjs';
import { detailsOf, pageOf, sections, summary, writePages } from './report.mjs';
import { SCENARIOS } from './scenarios/index.mjs';
import { clearStages, Stage } from './stage.mjs';

const USAGE = `Usage: npm run scoreboard -- [A … Q] [--client NAME] [--transport NAME] [--away-ms N]

  --client     only this one: ${NAMES.join(', ')}; may be repeated
  --transport  only this one: ${Object.keys(TRANSPORTS).join(', ')}; may be repeated
  --away-ms    how long the server of scenario F is away (default 30000)

Only a run of everything writes the pages; any other prints its tables.`;

/** How many scenarios run at the same time, if they allow others beside them. */
const AT_A_TIME = 2;

/**
 * @typedef {import('./clients.mjs').Client} Client
 * @typedef {import('./scenarios/index.mjs').Scenario} Scenario
 * @typedef {import('./report.mjs').Result} Result
 * @typedef {import('./clients/adapter.mjs').Transport} Transport
 * @typedef {import('./measurements.mjs').Measurements} Measurements
 *
 * @typedef {{ scenario: Scenario, transport: Transport }} Run
 */

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      client: { type: 'string', multiple: true, default: [...NAMES] },
      transport: { type: 'string', multiple: true, default: Object.keys(TRANSPORTS) },
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
  for (const name of values.transport) {
    if (!Object.hasOwn(TRANSPORTS, name)) throw new TypeError(`No such transport: ${name}`);
  }
  const awayMs = Number(values['away-ms']);
  if (!(awayMs > 0)) throw new TypeError(`--away-ms is a duration, not ${values['away-ms']}`);
  const chosen = SCENARIOS.filter(({ letter }) => letters.length === 0 || letters.includes(letter));
  const runs = chosen.flatMap((scenario) =>
    transportsOf(scenario)
      .filter((transport) => values.transport.includes(transport))
      .map((transport) => ({ scenario, transport })),
  );
  const isWhole =
    runs.length === SCENARIOS.flatMap(transportsOf).length && values.client.length === NAMES.length;
  return { help: values.help, runs, isWhole, names: values.client, awayMs };
}

/** @param {Scenario} scenario */
const transportsOf = ({ transports }) => /** @type {Transport[]} */ (Object.keys(transports));

/**
 * All clients side by side. What goes wrong in the scenario itself counts against the client: it
 * was not shown to do what is demanded.
 *
 * @param {Run} run
 * @param {readonly Client[]} clients
 * @param {{ awayMs: number }} settings
 * @returns {Promise<Result>}
 */
async function carryOut({ scenario, transport }, clients, settings) {
  const startedAt = performance.now();
  /** @type {Map<Client, Measurements>} */
  const measurements = new Map();
  await Promise.all(
    clients.map(async (client) => {
      if (client.missing !== undefined || client.cannot.includes(transport)) return;
      const stage = new Stage(client, settings, transport);
      measurements.set(client, stage.measurements);
      try {
        await scenario.transports[transport]?.(stage);
      } catch (error) {
        stage.check('the scenario runs to its end', false, String(error));
      }
      await stage.clear();
    }),
  );
  const outcomes = [...measurements].map(
    ([{ name }, found]) => `${name} ${found.passed ? 'passes' : 'fails'}`,
  );
  console.error(
    `${nameOf({ scenario, transport })}, ${seconds(performance.now() - startedAt)}: ${outcomes.join(', ')}`,
  );
  return { scenario, transport, measurements };
}

/** @param {Run} run */
const nameOf = ({ scenario, transport }) => `${scenario.letter}, ${transport}`;

/** Being away is mostly waiting, which disturbs nobody. @param {Run} run */
const isWaiting = ({ scenario }) => scenario.letter === 'F';

/** Floods run alone, and so do the many processes of endings. @param {Run} run */
const isHeavy = ({ scenario }) => scenario.letter === 'J' || scenario.letter === 'L';

/** @param {Run} run */
const isOther = (run) => !isWaiting(run) && !isHeavy(run);

/**
 * @param {readonly Run[]} runs
 * @param {number} atATime
 * @param {(run: Run) => Promise<Result>} start
 * @returns {Promise<Result[]>}
 */
async function inLanes(runs, atATime, start) {
  const waiting = [...runs];
  /** @type {Result[]} */
  const results = [];
  const lane = async () => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      results.push(await start(run));
    }
  };
  await Promise.all(Array.from({ length: atATime }, lane));
  return results;
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
  const { runs, isWhole, names, awayMs } = request;
  const clients = await findClients(names);
  const startedAt = performance.now();
  const carryOutAll = (/** @type {readonly Run[]} */ some, /** @type {number} */ atATime) =>
    inLanes(some, atATime, (run) => carryOut(run, clients, { awayMs }));
  const [waiting = [], heavy = [], rest = []] = [isWaiting, isHeavy, isOther].map((is) =>
    runs.filter(is),
  );
  const background = carryOutAll(waiting, waiting.length);
  const foreground = await carryOutAll(rest, AT_A_TIME);
  const results = [...foreground, ...(await carryOutAll(heavy, 1)), ...(await background)];
  const order = runs.map(nameOf);
  results.sort((one, other) => order.indexOf(nameOf(one)) - order.indexOf(nameOf(other)));

  const tookMs = performance.now() - startedAt;
  if (isWhole) {
    const files = await writePages({
      page: pageOf(clients, results, { tookMs, awayMs }),
      details: detailsOf(clients, results),
    });
    console.log(`${summary(clients, results)}\n\nWritten to ${files.join(' and ')}`);
  } else {
    console.log(sections(clients, results));
    console.log(`\n${summary(clients, results)}`);
  }
  const longwire = clients.find(({ name }) => name === 'longwire');
  const failed =
    longwire &&
    results.some(
      ({ transport, measurements }) =>
        !longwire.cannot.includes(transport) && !measurements.get(longwire)?.passed,
    );
  return failed ? 1 : 0;
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => {
    const ended = Promise.all([killAllClients(), clearStages()]);
    void ended.finally(() => process.exit(128 + constants.signals[signal]));
  });
}

process.exitCode = await main();
