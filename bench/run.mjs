/**
 * `npm run bench -- [name…] [--rounds N] [--calls N] [--sessions N]`; without a name, everything that
 * belongs in the tables of `bench/README.md`.
 */
import { parseArgs } from 'node:util';
import { FLOOR_VARIANTS } from './sse-calls/contenders.mjs';
import { run as runAroundCalls } from './around-calls/index.mjs';
import { run as runCluster } from './cluster/index.mjs';
import { run as runColdStart } from './cold-start/index.mjs';
import { run as runDecoder } from './decoder/index.mjs';
import { run as runHttpCalls } from './http-calls/index.mjs';
import { run as runPrincipals } from './principals/index.mjs';
import { run as runRecovery } from './recovery/index.mjs';
import { run as runReplay } from './replay/index.mjs';
import { run as runScale } from './scale/index.mjs';
import { run as runServer } from './server/index.mjs';
import { run as runSseCalls } from './sse-calls/index.mjs';
import { run as runStdioCalls } from './stdio-calls/index.mjs';
import { run as runTasks } from './tasks/index.mjs';

const USAGE = `Usage: npm run bench -- [name…] [--rounds N] [--calls N] [--sessions N]

  sse-calls     CPU, throughput and latency of tool calls over HTTP+SSE: Longwire, its peers, the bare loop
  http-calls    the same over Streamable HTTP, with sessions and stateless, answered as JSON and as SSE
  stdio-calls   the same over stdio
  cold-start    listing tools from a command line, from start to end: Longwire and its peers
  recovery      from a cut stream to the next call, 1000 calls at once, a 50 MiB result: Longwire and its peers
  around-calls  what middlewares, a cache, a pool and a group of fifty servers cost and bring
  principals    memory and CPU of a thousand users: client.as, and a client for each
  tasks         a call that becomes a task, and the same call held open
  cluster       a call whose session is on another node, on this one, and on one node without Redis
  scale         a hundred nodes and a million sessions, simulated with what three have cost
  server        connections, memory, calls and broadcasts of servers: Longwire's, the official ones, peers
  decoder       throughput of the event-stream decoder: Longwire's and eventsource-parser's
  replay        a recording of a million lines, shown by longwire dash
  floor         ways to write the bare loop, to see that the cheapest is the one that is used

  --rounds     how often everything is measured (default 15, and 3 for server; a third of it for the
               50 MiB result)
  --calls      calls a sample of sse-calls, http-calls, stdio-calls, around-calls and floor (default
               1000), and of server (default 4000)
  --sessions   idle sessions of server (default 1000)

Without a name: all but floor.`;

/** @typedef {{ rounds: number, calls: number, sessions: number }} Options */

/** @type {Options} */
const DEFAULTS = { rounds: 15, calls: 1000, sessions: 1000 };
/** Of servers, whose measurements take longer. @type {Options} */
const SERVER_DEFAULTS = { ...DEFAULTS, rounds: 3, calls: 4000 };

/** @type {Record<string, (options: Options) => Promise<boolean>>} */
const BENCHES = {
  'sse-calls': runSseCalls,
  'http-calls': runHttpCalls,
  'stdio-calls': runStdioCalls,
  'cold-start': runColdStart,
  recovery: runRecovery,
  'around-calls': runAroundCalls,
  principals: ({ rounds, sessions }) => runPrincipals({ rounds: Math.min(rounds, 5), sessions }),
  tasks: ({ rounds }) => runTasks({ rounds: Math.min(rounds, 5) }),
  cluster: ({ rounds, calls }) => runCluster({ rounds: Math.min(rounds, 7), calls }),
  scale: runScale,
  server: runServer,
  decoder: runDecoder,
  replay: runReplay,
  floor: (options) => runSseCalls({ ...options, contenders: FLOOR_VARIANTS }),
};

/** What is run without a name. */
const IN_THE_TABLE = Object.keys(BENCHES).filter((name) => name !== 'floor');

/** @param {string} name @param {string | undefined} text */
function count(name, text) {
  if (text === undefined) return {};
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new TypeError(`--${name} is a count, not ${text}`);
  return { [name]: value };
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      calls: { type: 'string' },
      sessions: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const names = positionals.length > 0 ? positionals : IN_THE_TABLE;
  for (const name of names) {
    if (!Object.hasOwn(BENCHES, name)) throw new TypeError(`No such benchmark: ${name}`);
  }
  return {
    help: values.help,
    names,
    given: {
      ...count('rounds', values.rounds),
      ...count('calls', values.calls),
      ...count('sessions', values.sessions),
    },
  };
}

/** @returns {Promise<number>} the exit code: 0 measured, 1 something could not be, 2 wrong usage */
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
  let measured = true;
  for (const name of request.names) {
    console.log(`\n## ${name}`);
    const defaults = name === 'server' ? SERVER_DEFAULTS : DEFAULTS;
    measured = ((await BENCHES[name]?.({ ...defaults, ...request.given })) ?? true) && measured;
  }
  return measured ? 0 : 1;
}

process.exitCode = await main();
