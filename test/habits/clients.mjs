import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createClient } from '@longwire/client';

/**
 * @typedef {import('./server.mjs').Habit} Habit
 *
 * @typedef {object} Limits time limits in milliseconds
 * @property {number} connectMs
 * @property {number} callMs
 *
 * @typedef {object} Session
 * @property {() => Promise<void>} connect
 * @property {() => Promise<readonly string[]>} list the names of the tools
 * @property {(tool: string, n: number, onProgress?: () => void) => Promise<unknown>} call its result
 * @property {() => Promise<void>} close
 *
 * @typedef {object} Client
 * @property {string} name
 * @property {string} version
 * @property {(url: string, habit: Habit, limits: Limits) => Session} open
 * @property {(habit: Habit) => boolean} [cannot] whether it does not speak what the server speaks
 * @property {(error: Error & { code?: unknown }) => boolean} isTimeout whether a time limit of the
 *   client itself ended it
 */

const require = createRequire(import.meta.url);

/** A program stops listing somewhere. */
const MAX_TOOLS = 1000;

/** @param {string} name */
function versionOf(name) {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version;
    } catch {
      // It is further up.
    }
  }
  throw new Error(`${name} is not installed`);
}

/** With its defaults, but for time limits; it finds out by itself what a URL speaks. @type {Client} */
export const longwire = {
  name: 'Longwire',
  version: versionOf('@longwire/client'),
  open(url, _habit, { connectMs, callMs }) {
    const client = createClient(url, { timeouts: { connectMs } });
    return {
      connect: () => client.connect(),
      list: async () => (await client.listTools({ timeoutMs: callMs })).map(({ name }) => name),
      call: (tool, n, onProgress) =>
        client.callTool(tool, { n }, { timeoutMs: callMs, ...(onProgress && { onProgress }) }),
      close: () => client.close(),
    };
  },
  isTimeout: ({ code }) => ['timeout', 'deadline', 'connect-timeout'].includes(String(code)),
};

/**
 * The official client, told which transport to use; with negotiation of versions where the newest
 * protocol, or its first question, is what the habit is about.
 *
 * @returns {Promise<Client>}
 */
export async function officialClient() {
  const sdk = await import('@modelcontextprotocol/client');
  return {
    name: '@modelcontextprotocol/client',
    version: versionOf('@modelcontextprotocol/client'),
    open(url, habit, { connectMs, callMs }) {
      const asksForVersions =
        habit.speaks === 'stateless' || habit.rules.some(({ what }) => what === 'server/discover');
      const client = new sdk.Client(
        { name: 'habits', version: '1.0.0' },
        asksForVersions ? { versionNegotiation: { mode: 'auto' } } : {},
      );
      client.onerror = () => {};
      const transport =
        habit.speaks === 'sse'
          ? new sdk.SSEClientTransport(new URL(url))
          : new sdk.StreamableHTTPClientTransport(new URL(url));
      return {
        connect: () => client.connect(transport, { timeout: connectMs }),
        list: async () =>
          (await client.listTools(undefined, { timeout: callMs })).tools.map(({ name }) => name),
        call: (name, n, onprogress) =>
          client.callTool(
            { name, arguments: { n } },
            { timeout: callMs, ...(onprogress && { onprogress }) },
          ),
        close: () => client.close(),
      };
    },
    isTimeout: (error) => error.code === sdk.SdkErrorCode.RequestTimeout,
  };
}

/** The official client of the major version before, in the same way. @returns {Promise<Client>} */
export async function formerClient() {
  const [{ Client }, { SSEClientTransport }, { StreamableHTTPClientTransport }] = await Promise.all(
    [
      import('@modelcontextprotocol/sdk/client/index.js'),
      import('@modelcontextprotocol/sdk/client/sse.js'),
      import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
    ],
  );
  return {
    name: '@modelcontextprotocol/sdk',
    version: versionOf('@modelcontextprotocol/sdk'),
    open(url, habit, { connectMs, callMs }) {
      const client = new Client({ name: 'habits', version: '1.0.0' });
      client.onerror = () => {};
      const transport =
        habit.speaks === 'sse'
          ? new SSEClientTransport(new URL(url))
          : new StreamableHTTPClientTransport(new URL(url));
      return {
        connect: () =>
          client.connect(
            /** @type {import('@modelcontextprotocol/sdk/shared/transport.js').Transport} */ (
              transport
            ),
            { timeout: connectMs },
          ),
        list: async () => {
          /** @type {string[]} */
          const names = [];
          /** @type {string | undefined} */
          let cursor;
          do {
            const page = await client.listTools(cursor === undefined ? undefined : { cursor }, {
              timeout: callMs,
            });
            names.push(...page.tools.map(({ name }) => name));
            cursor = page.nextCursor;
          } while (cursor !== undefined && names.length < MAX_TOOLS);
          return names;
        },
        call: (name, n, onprogress) =>
          client.callTool({ name, arguments: { n } }, undefined, {
            timeout: callMs,
            ...(onprogress && { onprogress }),
          }),
        close: () => client.close(),
      };
    },
    cannot: ({ speaks }) => speaks === 'stateless',
    isTimeout: (error) => error.code === -32001 && /timed out/.test(error.message),
  };
}
