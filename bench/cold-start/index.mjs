/**
 * `cold-start`: what it takes to list the tools of a server from a command line, from the start of
 * the process to its end. All command lines ask the same running server, or start the same program,
 * one at a time, in interleaved rounds whose order rotates.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Child } from '../calls/child.mjs';
import { TOOLS } from '../calls/echo.mjs';
import { machine, table, withSpread } from '../report/markdown.mjs';
import { ratioSpread, spread } from '../report/statistics.mjs';
import { IMPORTS, LONGWIRE, NOTHING, peers, VERSION } from './contenders.mjs';
import { PEERS, PEERS_NODE } from './peers.mjs';
import { runProgram } from '../peers/run-program.mjs';

/** @typedef {import('./contenders.mjs').Contender} Contender */
/** @typedef {import('./contenders.mjs').Target} Target */

/**
 * @typedef {object} Runtime
 * @property {string} version
 * @property {string} node the file of its program
 *
 * @typedef {object} Sample
 * @property {number} wallMs
 * @property {number} cpuMs of the process, user and system
 *
 * @typedef {object} Record
 * @property {Contender} contender
 * @property {Sample[]} samples by round
 * @property {string | undefined} failure
 *
 * @typedef {object} Measured
 * @property {Runtime} runtime
 * @property {Target} target
 * @property {readonly Record[]} records
 * @property {Contender} base what the others are compared with
 */

const START_TIMEOUT_MS = 15_000;
/** Beyond this a command line hangs. */
const RUN_TIMEOUT_MS = 30_000;
/** What starts without talking to a server. @type {readonly [string, Contender, Contender][]} */
const STARTS = [
  ['Version', NOTHING, VERSION],
  ['Import', ...IMPORTS],
];
/** Not counted: the files come into the system's cache, and the programs write down what they keep. */
const WARM_UP_ROUNDS = 1;
const REPORT_CPU = fileURLToPath(new URL('./report-cpu.cjs', import.meta.url));
const STDIO_SERVER = fileURLToPath(new URL('../stdio-calls/server.mjs', import.meta.url));

/**
 * @param {{ rounds: number }} options
 * @returns {Promise<boolean>} whether every command line could be measured
 */
export async function run({ rounds }) {
  const notInstalled = await PEERS.install();
  const contenders = [NOTHING, LONGWIRE, ...(notInstalled === undefined ? peers() : [])];
  // The programs find no configuration, and leave their files where they harm nobody.
  const home = join(PEERS.folder, 'home');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });

  const server = startServer();
  /** @type {Measured[]} */
  const tables = [];
  try {
    const { port } = await server.ask(undefined, START_TIMEOUT_MS);
    const url = `http://127.0.0.1:${port}/mcp`;
    const tools = await toolsAt(url);
    for (const runtime of runtimes()) {
      /** @type {readonly Target[]} */
      const targets = [
        { title: 'Streamable HTTP', url, tools },
        {
          title: 'stdio',
          command: [runtime.node, STDIO_SERVER],
          tools: TOOLS.map(({ name }) => name),
        },
      ];
      for (const target of targets) {
        console.error(`cold-start: ${headingOf({ runtime, target })}`);
        const records = await measure({ contenders, runtime, target, home, rounds });
        tables.push({ runtime, target, records, base: LONGWIRE });
      }
      for (const [title, base, other] of STARTS) {
        const target = { title, tools: [] };
        const contenders = [base, other];
        const records = await measure({ contenders, runtime, target, home, rounds });
        tables.push({ runtime, target, records, base });
      }
    }
  } finally {
    await server.close();
  }

  console.log(`\n${machine()}`);
  console.log(`Medians of ${rounds} runs (least–most); a ratio is taken within each round.`);
  for (const measured of tables) report(measured);
  if (notInstalled !== undefined) console.log(`\nThe peers are not there: ${notInstalled}`);
  return (
    notInstalled === undefined &&
    tables.every(({ records }) => records.every(({ failure }) => failure === undefined))
  );
}

/** The reference project's server, which speaks Streamable HTTP at `/mcp`. */
function startServer() {
  const manifest = createRequire(import.meta.url).resolve(
    '@modelcontextprotocol/server-everything/package.json',
  );
  const onLoopback = new URL('../../test/support/bind-loopback.mjs', import.meta.url).href;
  return new Child(new URL('./dist/index.js', pathToFileURL(manifest)), ['streamableHttp'], {
    execArgv: ['--import', onLoopback],
    env: { ...process.env, PORT: '0' },
  });
}

/**
 * @param {string} url
 * @returns {Promise<string[]>} the tools that the server offers to a client that can do nothing more
 */
async function toolsAt(url) {
  const client = new Client({ name: 'cold-start', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name }) => name);
}

/**
 * This Node, and the one that the peers ask for if it is newer.
 *
 * @returns {Runtime[]}
 */
function runtimes() {
  const own = { version: process.versions.node, node: process.execPath };
  const newer = PEERS.manifestOf('node')?.version;
  if (newer === undefined || !existsSync(PEERS_NODE) || majorOf(newer) <= majorOf(own.version)) {
    return [own];
  }
  return [own, { version: newer, node: PEERS_NODE }];
}

/** @param {string} version of Node, or a range that begins with the oldest */
const majorOf = (version) => Number(/\d+/.exec(version)?.[0]);

/**
 * @param {{ contenders: readonly Contender[], runtime: Runtime, target: Target, home: string, rounds: number }} options
 * @returns {Promise<Record[]>}
 */
async function measure({ contenders, runtime, target, home, rounds }) {
  /** @type {Record[]} */
  const records = contenders.map((contender) => ({ contender, samples: [], failure: undefined }));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (let turn = 0; turn < records.length; turn++) {
      const record = records[(turn + round + WARM_UP_ROUNDS) % records.length];
      if (record === undefined || record.failure !== undefined) continue;
      try {
        const sample = await take(record.contender, { runtime, target, home });
        if (round >= 0) record.samples.push(sample);
      } catch (error) {
        record.failure = error instanceof Error ? error.message : String(error);
        console.error(`cold-start: ${record.contender.title} failed, ${record.failure}`);
      }
    }
  }
  return records;
}

/**
 * Runs a command line once.
 *
 * @param {Contender} contender
 * @param {{ runtime: Runtime, target: Target, home: string }} options
 * @returns {Promise<Sample>}
 */
async function take({ program, args, toolsIn }, { runtime, target, home }) {
  const { wallMs, code, stdout, stderr, report } = await runProgram({
    command: runtime.node,
    args: ['--require', REPORT_CPU, program, ...args(target)],
    cwd: home,
    env: { PATH: process.env['PATH'], HOME: home, USERPROFILE: home },
    timeoutMs: RUN_TIMEOUT_MS,
  });
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr.trim().slice(-500)}`);
  if (report === '') throw new Error('it did not say what CPU it took');
  if (toolsIn !== undefined) {
    const names = new Set(toolsIn(JSON.parse(stdout)).map(({ name }) => name));
    const missing = target.tools.filter((name) => !names.has(name));
    if (missing.length > 0) throw new Error(`it does not list ${missing.join(', ')}`);
  }
  return { wallMs, cpuMs: Number(report) / 1000 };
}

/** @param {{ runtime: Runtime, target: Target }} measured */
const headingOf = ({ runtime, target }) => `${target.title}, Node ${runtime.version}`;

/** @param {Measured} measured */
function report({ runtime, target, records, base }) {
  console.log(`\n### ${headingOf({ runtime, target })}\n`);
  const compared = records.find(({ contender }) => contender === base)?.samples ?? [];
  const whose = base === LONGWIRE ? 'Longwire' : 'the first';
  const rows = records.map(({ contender: { title, engine }, samples }) => {
    /** @param {keyof Sample} figure */
    const cells = (figure) => {
      const figures = samples.map((sample) => sample[figure]);
      const others = compared.map((sample) => sample[figure]);
      return [withSpread(spread(figures), 0), withSpread(ratioSpread(figures, others), 2)];
    };
    const tooOld = engine !== undefined && majorOf(engine) > majorOf(runtime.version);
    return [
      tooOld ? `${title} (asks for Node ${engine})` : title,
      ...cells('wallMs'),
      ...cells('cpuMs'),
    ];
  });
  console.log(table(['', 'ms', `× ${whose}`, 'CPU ms', `× CPU of ${whose}`], rows));
  for (const { contender, failure } of records) {
    if (failure !== undefined) console.log(`\n${contender.title} failed, ${failure}`);
  }
}
