import { mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { startScriptedClaude } from '../../packages/agent/test/support/scripted-claude.ts';
import { blocksOf, repository } from './blocks.ts';
import { authority, companyClient } from '../support/certificates.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { runCli } from '../support/run-cli.ts';

/** What the pages need: a directory with files, a server on port 3001, and Claude. */
export interface DocsEnvironment extends AsyncDisposable {
  directory: string;
  /** The environment of what is run. */
  env: Record<string, string>;
  /** The calls of tools that do something, in order. */
  calls: string[];
  /** Sends a log message to all who are connected. */
  say(level: 'info' | 'warning', data: unknown): Promise<void>;
  /** The text of a block, with the server's real address. */
  adapted(text: string): string;
}

/** Where the pages say that their server is. */
const documentedOrigin = /http:\/\/(?:127\.0\.0\.1|localhost):3001\b/g;

/** Starts all that the blocks need. */
export async function startEnvironment(): Promise<DocsEnvironment> {
  const calls: string[] = [];
  const sessions = new Set<McpServer>();
  const create = (): McpServer => {
    const server = createServer(calls);
    sessions.add(server);
    server.server.onclose = () => sessions.delete(server);
    return server;
  };
  const serving = await serve({ create });
  const { origin } = new URL(serving.url);
  // The last answer of a script repeats.
  const claude = await startScriptedClaude(Array(10).fill({ text: 'Apple stands at 231.50.' }));
  const directory = await mkdtemp(join(tmpdir(), 'longwire-docs-'));
  const adapted = (text: string): string => text.replace(documentedOrigin, origin);
  await symlink(join(repository, 'node_modules'), join(directory, 'node_modules'), 'dir');
  const workflow = blocksOf('packages/workflow/README.md').find(
    ({ language }) => language === 'yaml',
  );
  const checks = blocksOf('docs/checks.md').find(({ language }) => language === 'json');
  const recorded = blocksOf('docs/recording.md').filter(({ language }) => language === 'json');
  const files = {
    'package.json': JSON.stringify({ type: 'module', private: true }),
    'longwire.json': JSON.stringify({ servers: { market: { url: `${origin}/sse` } } }),
    'server.js': "import '@modelcontextprotocol/server-everything/dist/index.js';\n",
    'alerts.yaml': adapted(workflow?.text ?? ''),
    'longwire.checks.json': checks?.text ?? '',
    'monday.ndjson': recorded.map(({ text }) => `${JSON.stringify(JSON.parse(text))}\n`).join(''),
    'company-ca.pem': authority,
    'me.crt': companyClient.cert,
    'me.key': companyClient.key,
    'lost.jsonl': `${JSON.stringify(lostLetter)}\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    ANTHROPIC_BASE_URL: claude.url,
    ANTHROPIC_API_KEY: 'key',
    // What is installed is enough.
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  // At a terminal, a reader is asked for the servers of a longwire.json once.
  await runCli(['servers', 'allow', 'market'], { cwd: directory, env });
  await runCli(['types', 'market', '-o', 'tools.d.ts'], { cwd: directory, env });
  return {
    directory,
    env,
    calls,
    say: async (level, data) => {
      // One that was made for a question to the stateless protocol has no client any more.
      const connected = [...sessions].filter((server) => server.isConnected());
      await Promise.all(connected.map(({ server }) => server.sendLoggingMessage({ level, data })));
    },
    adapted,
    [Symbol.asyncDispose]: async () => {
      await serving.close();
      await claude.close();
      await removeFolder(directory);
    },
  };
}

/** A dead letter, as a run of the workflow writes it. */
const lostLetter = {
  time: '2026-01-01T00:00:00.000Z',
  workflow: 'alerts',
  trigger: 'log:warning#1',
  run: 'a-run',
  event: {
    name: 'notifications/message',
    server: 'market',
    id: 'an-event',
    data: { symbol: 'MSFT', drop: 9 },
    params: { level: 'warning', data: { symbol: 'MSFT', drop: 9 } },
    at: '2026-01-01T00:00:00.000Z',
  },
  error: { code: 'connect-failed', message: 'it was away', certainty: 'not-sent' },
};

/** The server of the pages. */
function createServer(calls: string[]): McpServer {
  const server = new McpServer(
    { name: 'market', version: '1.0.0' },
    { capabilities: { logging: {}, resources: {} } },
  );
  const readOnly = { annotations: { readOnlyHint: true } };
  const symbol = z.string();
  const text = (line: string) => ({ content: [{ type: 'text' as const, text: line }] });
  const done = (line: string) => (calls.push(line), text(line));

  const echo = { ...readOnly, inputSchema: z.object({ message: z.string() }) };
  server.registerTool('echo', echo, ({ message }) => text(message));
  const add = { ...readOnly, inputSchema: z.object({ a: z.number(), b: z.number() }) };
  server.registerTool('add', add, ({ a, b }) => text(String(a + b)));
  const search = { ...readOnly, inputSchema: z.object({ query: z.string() }) };
  server.registerTool('search', search, ({ query }) => text(`nothing about ${query}`));

  const outputSchema = z.object({ symbol, price: z.number() });
  const price = { ...readOnly, inputSchema: z.object({ symbol }), outputSchema };
  server.registerTool('price', price, (share) => {
    const structuredContent = { symbol: share.symbol, price: 182.75 };
    return { ...text(JSON.stringify(structuredContent)), structuredContent };
  });
  const buy = { inputSchema: z.object({ symbol, count: z.number() }) };
  server.registerTool('buy', buy, (order) => done(`buy ${order.symbol}`));
  const notify = { inputSchema: z.object({ text: z.string() }) };
  server.registerTool('notify', notify, (said) => done(`notify ${said.text}`));
  const filled = { inputSchema: z.object({ order: z.number() }) };
  const archived = z.object({ place: z.string() });
  server.registerTool('archive', { ...filled, outputSchema: archived }, ({ order }) => {
    const structuredContent = { place: `shelf ${order}` };
    return { ...done(`archive ${order}`), structuredContent };
  });
  const prices = 'market://prices';
  server.registerResource('prices', prices, { mimeType: 'text/plain' }, () => ({
    contents: [{ uri: prices, text: 'AAPL 182.75' }],
  }));
  const receipt = { inputSchema: archived };
  server.registerTool('receipt', receipt, ({ place }) => done(`receipt ${place}`));
  return server;
}
