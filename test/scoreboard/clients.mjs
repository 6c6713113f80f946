import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installedVersion, installNewest, scratchFile, scratchNode } from './scratch.mjs';

/**
 * @typedef {object} Client
 * @property {'longwire' | 'official' | 'ai-sdk'} name
 * @property {string} title
 * @property {string} version
 * @property {string} node the version of the Node that it runs on
 * @property {string} execPath
 * @property {string} resolvedFrom a file of the package from which it is resolved
 * @property {URL} adapter
 * @property {string} setUp how it is set up, for the reader
 * @property {readonly import('./clients/adapter.mjs').Transport[]} cannot the transports that it
 *   does not have
 * @property {string} [missing] why it cannot be run
 * @property {string} [remark] what a reader should know of the version
 */

/**
 * How the transports are called for the reader.
 *
 * @type {Readonly<Record<import('./clients/adapter.mjs').Transport, string>>}
 */
export const TRANSPORTS = {
  sse: 'HTTP+SSE',
  streamable: 'Streamable HTTP 2025-11-25',
  stateless: 'Streamable HTTP 2026-07-28',
  eras: 'Streamable HTTP, both',
  stdio: 'stdio',
  'tool-events': 'tool-events',
};

export const NAMES = /** @type {const} */ (['longwire', 'official', 'ai-sdk']);

const OFFICIAL = '@modelcontextprotocol/client';
const AI_SDK = '@ai-sdk/mcp';
const AI_SDK_NODE_MAJOR = 22;
const rootFile = fileURLToPath(new URL('../../package.json', import.meta.url));

/**
 * Finds the clients, and installs the newest of the peers.
 *
 * @param {readonly string[]} names
 * @returns {Promise<Client[]>}
 */
export async function findClients(names) {
  /** @type {Client[]} */
  const clients = [];
  if (names.includes('longwire')) clients.push(longwire());
  if (names.includes('official')) clients.push(await official());
  if (names.includes('ai-sdk')) clients.push(await aiSdk());
  return clients;
}

const onThisNode = { node: process.versions.node, execPath: process.execPath };

/** @returns {Client} */
function longwire() {
  const manifest = new URL('../../packages/client/package.json', import.meta.url);
  return {
    ...onThisNode,
    name: 'longwire',
    title: 'Longwire',
    version: JSON.parse(readFileSync(manifest, 'utf8')).version,
    resolvedFrom: rootFile,
    adapter: new URL('./clients/longwire.mjs', import.meta.url),
    cannot: [],
    setUp:
      '`createClient(target)` with its defaults, but for the options that a scenario names. It is ' +
      'not told which transport the target has.',
  };
}

/** @returns {Promise<Client>} */
async function official() {
  const failure = await installNewest([OFFICIAL]);
  const version = installedVersion(OFFICIAL);
  const fallback = version === undefined;
  return {
    ...onThisNode,
    name: 'official',
    title: OFFICIAL,
    version: version ?? installedVersion(OFFICIAL, rootFile) ?? 'none',
    resolvedFrom: fallback ? rootFile : scratchFile,
    adapter: new URL('./clients/official.mjs', import.meta.url),
    cannot: ['tool-events'],
    setUp:
      '`Client` over `SSEClientTransport` or `StreamableHTTPClientTransport`, which reconnect their ' +
      'streams by themselves, or `StdioClientTransport`; for 2026-07-28 with `versionNegotiation: ' +
      "{ mode: 'auto' }` and `listChanged`. Calls with " +
      '`timeout`, `maxTotalTimeout`, `resetTimeoutOnProgress` and `onprogress`. There are no ' +
      'options for retries, heartbeats or the size of an event.',
    ...(failure !== undefined && { remark: `may not be the newest: ${failure}` }),
  };
}

/** @returns {Promise<Client>} */
async function aiSdk() {
  const major = Number(process.versions.node.split('.')[0]);
  const needsNode = major < AI_SDK_NODE_MAJOR;
  const failure = await installNewest([AI_SDK, 'zod', ...(needsNode ? ['node@24'] : [])]);
  const version = installedVersion(AI_SDK);
  const execPath = needsNode ? scratchNode : process.execPath;
  const there = version !== undefined && existsSync(execPath);
  return {
    name: 'ai-sdk',
    title: AI_SDK,
    version: version ?? 'none',
    execPath,
    node: there ? execFileSync(execPath, ['--version']).toString().trim().slice(1) : 'none',
    resolvedFrom: scratchFile,
    adapter: new URL('./clients/ai-sdk.mjs', import.meta.url),
    cannot: ['tool-events'],
    setUp:
      "`createMCPClient({ transport: { type, url }, maxRetries: 5 })` with the type `'sse'` or " +
      "`'http'`, or `StdioMCPTransport`. It has no option to " +
      'reconnect. Calls with `signal` and `maxTotalTimeout`; its `timeout` is no idle time, because ' +
      'progress does not start it anew. It tells of neither progress nor notifications.',
    ...(!there && { missing: `not available: ${failure ?? 'its Node is not there'}` }),
    ...(there && failure !== undefined && { remark: `may not be the newest: ${failure}` }),
  };
}
