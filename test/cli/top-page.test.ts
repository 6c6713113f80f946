import { fileURLToPath } from 'node:url';
import { connect, type LongwireClient } from '@longwire/client';
import { apiKeys, hashApiKey, serve } from '@longwire/server';
import { page } from 'longwire/page';
import { expect, test } from 'vitest';
import { startCluster } from '../cluster/support/cluster.mjs';
import { createNodeServer } from '../cluster/support/node-server.mjs';
import { startRedis } from '../cluster/support/redis-server.mjs';
import { startCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { hasTerminal } from './support/terminal.ts';
import { openTerminal, type TerminalScreen } from './support/terminal-screen.ts';

const tools = fileURLToPath(new URL('../support/stdio-servers/tools.mjs', import.meta.url));
const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
const [ENTER, ESCAPE, TAB] = ['\r', '\u001b', '\t'] as const;

/** A shell in which `top --page` was started. */
async function openTop(words: string): Promise<TerminalScreen> {
  const terminal = await openTerminal(80, 24, { NO_COLOR: '1' });
  await terminal.shows(/[$#]/);
  terminal.type(`${process.execPath} ${bin} top --page ${words}; echo "code $?"\r`);
  return terminal;
}

/** Calls a tool until the screen shows such a call: what begins just now may be of before. */
async function calls(
  terminal: TerminalScreen,
  client: LongwireClient,
  pattern: RegExp,
): Promise<void> {
  await client.callTool('echo', { message: 'from afar' });
  await terminal.shows(pattern);
}

test.runIf(hasTerminal)('shows sessions and calls of all nodes, whichever die', async () => {
  await using cluster = await startCluster({ hasPage: true, clusterOptions: { leaseMs: 1_000 } });
  const [one, two] = cluster.nodes;
  if (one === undefined || two === undefined) throw new Error('there are no nodes');
  await using terminal = await openTop(`${one.origin}/page`);
  await terminal.shows(/● live[^]* 3 ready [^]*SERVERS 3 [^]* SESSIONS/);
  expect(terminal.rows().filter((row) => /^[> ] server@\S+ +● ready/.test(row))).toHaveLength(3);

  // A session of another node than the one that is asked for the page.
  await using client = await connect(`${two.origin}/mcp`, { transport: 'sse', name: 'c' }).catch(
    () => connect(`${two.origin}/sse`),
  );
  await terminal.shows(/^[> ] server@\S+ +● ready .* 1$/m);
  await calls(terminal, client, /^ {2}echo \{"message":"from .*✓ result/m);
  terminal.type(`${TAB}/tool:echo${ENTER}${ENTER}`);
  await terminal.shows(/^Call \d+ · echo[^]*Server +server@[^]*"message": "from afar"/m);
  terminal.type('c');
  await terminal.shows(/^This page only shows/m);
  terminal.type(ESCAPE);
  await terminal.shows(/» CALLS[^]*Esc clears it$/);
  terminal.type(ESCAPE);
  await terminal.shows(/^ {2}server@\S+ +● ready/m);

  await two.kill();
  await terminal.shows(/ 2 of 3 ready [^]* closed /);
  await two.start();
  await terminal.shows(/ 3 of 4 ready /);

  terminal.type('q');
  await terminal.shows(/^code 0$/m);
  expect(terminal.isAlternate()).toBe(false);
});

test.runIf(hasTerminal)(
  'says that it is not live, and why, until a node is there again',
  async () => {
    await using cluster = await startCluster({ hasPage: true, nodes: 2 });
    await using terminal = await openTop(`${cluster.origin}/page`);
    await terminal.shows(/● live[^]* 2 ready /);
    for (const node of cluster.nodes) await node.kill();
    await terminal.shows(/○ not live since \d\d:\d\d:\d\d[^]*It is opened again\.$/m);
    await cluster.nodes[0]?.start();
    await terminal.shows(/● live/);
    terminal.type('\u0003');
    await terminal.shows(/^code 130$/m);
  },
);

test.runIf(hasTerminal)('shows the sessions of every gateway of a cluster', async () => {
  await using redis = await startRedis();
  const nodes = await Promise.all(
    [1, 2].map(() => {
      const words = ['serve', '--json', '--page', 'anonymous', '--cluster', redis.url];
      return startCli([...words, '--', process.execPath, tools], { killAfterMs: 300_000 });
    }),
  );
  await using _ends = { [Symbol.asyncDispose]: () => endAll(nodes) };
  for (const node of nodes) await node.waitFor(/Ctrl-C ends it/);
  const [one, two] = nodes.map((node) => JSON.parse(node.stdout()) as Record<string, string>);
  await using terminal = await openTop(String(one?.['pageUrl']));
  await terminal.shows(/● live[^]* 2 ready /);
  await using client = await connect(String(two?.['url']));
  await terminal.shows(/^[> ] \S+@\S+ +● ready .* 1$/m);
  await client.listTools();
  terminal.type('q');
  await terminal.shows(/^code 0$/m);
});

async function endAll(started: readonly AsyncDisposable[]): Promise<void> {
  for (const one of started) await one[Symbol.asyncDispose]();
}

test.runIf(hasTerminal)('says of which nodes nothing is known while Redis is away', async () => {
  await using cluster = await startCluster({ hasPage: true, nodes: 2 });
  await using terminal = await openTop(`${cluster.nodes[0]?.origin}/page`);
  await terminal.shows(/● live[^]* 2 ready /);
  await cluster.redis?.kill();
  await terminal.shows(/ 1 of 2 ready [^]*↻ reconnecting/);
  await cluster.redis?.start();
  await terminal.shows(/● live[^]* 2 ready /);
  terminal.type('q');
  await terminal.shows(/^code 0$/m);
});

test.runIf(hasTerminal)('says in one line why there is nothing to show', async () => {
  const key = 'a-key-of-the-operator';
  await using serving = await serve({
    create: () =>
      createNodeServer({ node: 'one', journal: undefined, era: 'legacy', notify: undefined }),
    auth: apiKeys({ keys: [{ principal: 'operator', sha256: hashApiKey(key) }] }),
    page: page({ allow: ({ id }) => id === 'operator' }),
  });
  const address = serving.url.replace(/mcp$/, 'page');
  await using terminal = await openTop(address);
  const says = async (pattern: RegExp, code: number): Promise<void> => {
    const shown = (await terminal.shows(new RegExp(`^code ${code}$`, 'm'))).replaceAll('\n', '');
    expect(shown).toMatch(pattern);
    terminal.type('clear\r');
    await until(() => expect(terminal.rows().join('')).not.toMatch(/code/));
  };
  const type = (words: string): void =>
    terminal.type(`${process.execPath} ${bin} top ${words}; echo "code $?"\r`);
  await says(/answered 401: .*--header 'Authorization: Bearer …'/, 4);
  type(`--page ${serving.url}`);
  await says(/there is no page at .*\/page of its mount/, 3);
  type(`--page ${address} --demo`);
  await says(/--page shows what a page shows: leave out --demo/, 2);
  type(`--page ${address} http://127.0.0.1:3001`);
  await says(/leave out http:\/\/127\.0\.0\.1:3001/, 2);
  type('--page localhost:3001');
  await says(/--page wants the URL of a page/, 2);
  type(`--page ${address} --header 'Authorization: Bearer ${key}'`);
  await until(() => terminal.isAlternate());
  await terminal.shows(/● live[^]* 1 ready /);
  terminal.type('q');
  await until(() => !terminal.isAlternate());
});
