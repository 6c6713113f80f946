/**
 * `npm run cluster -- chaos|rolling|away|failover [options]`: three nodes over Redis, and every kind of client, while
 * nodes die or are restarted, or Redis is away or another one. Exit code 1 where a promise is broken, 2 for wrong usage.
 */
import { parseArgs } from 'node:util';
import { away, MANNERS } from './away/away.mjs';
import { awayTable } from './away/report.mjs';
import { chaos } from './chaos/chaos.mjs';
import { CLIENT_KINDS } from './chaos/clients/index.mjs';
import { FAULT_KINDS } from './chaos/faults.mjs';
import { rolling } from './chaos/rolling.mjs';
import { failover, failoverTable } from './failover/failover.mjs';
import { loseWrite } from './failover/lost-write.mjs';
import { CHANGES } from './failover/stage.mjs';
import { writeDocs } from './write-docs.mjs';

const USAGE = `Usage: npm run cluster -- chaos [--seed N] [--calls N] [--rate N] [--clients NAME] [--faults KIND]
       npm run cluster -- rolling [--seed N] [--rate N] [--clients NAME]
       npm run cluster -- away [--seconds N] [--manner silent|restarted|emptied]
       npm run cluster -- failover [--seed N] [--rounds N] [--rate N] [--change NAME] [--replicas N]

  chaos      nodes are killed, stalled for 10 s, cut off from Redis; clients are cut off, too
  rolling    every node is stopped by SIGTERM and started again
  away       Redis is away for a while, and every kind of request is sent meanwhile
  failover   another Redis takes over, or slots of a Redis Cluster move

  --seed     decides the calls and the faults (default: any)
  --calls    in all (default 20000)
  --rate     calls in a second, at most (default 50)
  --clients  only this kind of client; may be repeated
  --faults   only this kind of fault: kill, stall, cut, away, silence, hang-up; may be repeated
  --seconds  for which Redis is away, at least 15 (default 20)
  --change   killed, handed-over (behind Sentinel), shard-killed, shard-handed-over, resharded (of a Redis Cluster), or
             lost-write: a call that only the primary knew that is killed; may be repeated (default: each)
  --rounds   how often that happens (default 2)
  --replicas the option of redis(url, options) (default 0)
  --docs     put the first table into docs/cluster.md, if every promise held
  --manner   in which it is away; may be repeated (default: each)

Exit code: 0 if every promise held, 1 if one was broken, 2 for wrong usage.`;

const CLIENTS = CLIENT_KINDS.map(({ name }) => name);

/** Where the page has their first tables. */
const DOCS = { chaos: 'chaos-calls', rolling: 'rolling', away: 'away', failover: 'failover' };

const TRIALS = { chaos, rolling, away: awayInEach, failover: failoverInEach };

const LOST_WRITE = 'lost-write';
const ALL_CHANGES = [...CHANGES, LOST_WRITE];

async function main() {
  let request;
  try {
    request = readArguments();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (request === 'help') {
    console.log(USAGE);
    return 0;
  }
  const { trial, docs, ...options } = request;
  console.log(`seed ${options.seed}`);
  const { tables, longest, violations, outputs } = await TRIALS[trial](options);
  for (const one of tables) console.log(`\n${one}`);
  if (longest.length > 0) console.log('\nThe longest waits:');
  for (const one of longest) console.log(`  ${one}`);
  for (const one of shownOf(violations)) console.log(one);
  console.log(`\n${violations.length} promises were broken (seed ${options.seed})`);
  if (violations.length === 0) {
    if (docs) await writeDocs(DOCS[trial], tables[0] ?? '');
    return 0;
  }
  for (const text of outputs) if (text !== '') console.log(text.slice(-10_000));
  return 1;
}

/** @param {{ seed: number, seconds: number, manners: readonly import('./away/away.mjs').Manner[] }} options */
async function awayInEach({ seed, seconds, manners }) {
  // Every process that is started has one for the end of this one.
  process.setMaxListeners(0);
  const trials = await Promise.all(
    manners.map(async (manner) => {
      const trial = await away({ manner, seed, awayMs: seconds * 1_000 });
      console.log(`${manner}: ready ${Math.round(trial.readyMs)} ms after Redis was back`);
      return /** @type {const} */ ([manner, trial]);
    }),
  );
  return {
    tables: [awayTable(new Map(trials))],
    longest: [],
    violations: trials.flatMap(([manner, { violations }]) =>
      violations.map((what) => ({ kind: manner, what })),
    ),
    outputs: trials.flatMap(([, { outputs }]) => outputs),
  };
}

/**
 * @param {{ seed: number, rounds: number, rate: number, replicas: number, only: readonly string[], changes: readonly string[] }} options
 */
async function failoverInEach({ changes, ...options }) {
  process.setMaxListeners(0);
  /** @type {Map<import('./failover/stage.mjs').Change, Awaited<ReturnType<typeof failover>>>} */
  const trials = new Map();
  for (const change of CHANGES) {
    if (changes.includes(change)) trials.set(change, await failover({ change, ...options }));
  }
  const violations = [...trials].flatMap(([change, trial]) =>
    trial.violations.map(({ kind, what }) => ({ kind, what: `${change}: ${what}` })),
  );
  for (const replicas of changes.includes(LOST_WRITE) ? [0, 1] : []) {
    const { first, runs } = await loseWrite({ replicas });
    const said = first === undefined ? 'ran at once' : `was refused with ${first}`;
    console.log(`replicas: ${replicas}: the call ${said}; it ran ${runs} times`);
    const expected = replicas === 0 ? 2 : 1;
    if (runs !== expected) {
      violations.push({ kind: 'ran-twice', what: `it ran ${runs} times, and not ${expected}` });
    }
  }
  return {
    tables: trials.size === 0 ? [] : [failoverTable(trials)],
    longest: [...trials.values()].flatMap(({ longest }) => longest),
    violations,
    outputs: [...trials.values()].flatMap(({ outputs }) => outputs),
  };
}

/** How many of a kind are shown. */
const SHOWN = 10;

/** @param {readonly { kind: string, what: string }[]} violations */
function* shownOf(violations) {
  for (const kind of new Set(violations.map((one) => one.kind))) {
    const all = violations.filter((one) => one.kind === kind);
    yield `\n${kind}: ${all.length}`;
    yield* all.slice(0, SHOWN).map(({ what }) => `  ${what}`);
  }
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      calls: { type: 'string', default: '20000' },
      rate: { type: 'string', default: '50' },
      seconds: { type: 'string', default: '20' },
      manner: { type: 'string', multiple: true, default: [...MANNERS] },
      change: { type: 'string', multiple: true, default: ALL_CHANGES },
      rounds: { type: 'string', default: '2' },
      replicas: { type: 'string', default: '0' },
      clients: { type: 'string', multiple: true },
      faults: { type: 'string', multiple: true },
      docs: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const [trial = ''] = positionals;
  if (!(trial in TRIALS)) throw new TypeError(`Not a trial: ${trial}`);
  return {
    trial: /** @type {keyof typeof TRIALS} */ (trial),
    docs: values.docs,
    seed: count('seed', values.seed, 0),
    calls: count('calls', values.calls, 1),
    rate: count('rate', values.rate, 1),
    seconds: count('seconds', values.seconds, 15),
    rounds: count('rounds', values.rounds, 1),
    replicas: count('replicas', values.replicas, 0),
    changes: named('change', values.change, ALL_CHANGES),
    manners: named('manner', values.manner, MANNERS),
    only: named('clients', values.clients ?? CLIENTS, CLIENTS),
    kinds: named('faults', values.faults ?? FAULT_KINDS, FAULT_KINDS),
  };
}

/**
 * @template {string} Name
 * @param {string} option
 * @param {readonly string[]} given
 * @param {readonly Name[]} known
 * @returns {Name[]}
 */
function named(option, given, known) {
  const unknown = given.find((name) => !known.some((one) => one === name));
  if (unknown === undefined) return known.filter((name) => given.includes(name));
  throw new TypeError(`--${option}: ${unknown} is none of ${known.join(', ')}`);
}

/** @param {string} name @param {string} text @param {number} least */
function count(name, text, least) {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`--${name}: not a whole number from ${least} on: ${text}`);
}

process.exitCode = await main();
