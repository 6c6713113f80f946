import { fileURLToPath } from 'node:url';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { expect } from 'vitest';
import { z } from 'zod';
import { until } from '../../support/until.ts';
import { openTerminal, type TerminalScreen } from './terminal-screen.ts';

const bin = fileURLToPath(new URL('../../../packages/cli/dist/bin.js', import.meta.url));

/** A server whose calls end, and whose log messages come, when the test says so. */
export interface TimedServer extends AsyncDisposable {
  readonly url: string;
  /** Ends the call of `wait` that runs. */
  release(): void;
  /** Whether a call of `wait` was cancelled. */
  readonly cancelled: number;
  log(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts it, at a port that is free, or at this one. */
export async function serveTimed(port: number = 0): Promise<TimedServer> {
  const waiting = new Set<() => void>();
  const servers: McpServer[] = [];
  let cancelled = 0;
  const create = (): McpServer => {
    const server = new McpServer(
      { name: 'market', version: '1' },
      { capabilities: { logging: {} } },
    );
    servers.push(server);
    const say = (text: string): { content: [{ type: 'text'; text: string }] } => ({
      content: [{ type: 'text', text }],
    });
    const inputSchema = z.object({ message: z.string() });
    server.registerTool('echo', { description: 'Says it again', inputSchema }, ({ message }) =>
      say(message),
    );
    server.registerTool('wait', { description: 'Waits until it is let go' }, async (extra) => {
      const { signal } = extra.mcpReq;
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        signal.addEventListener('abort', () => {
          cancelled++;
          resolve();
        });
      });
      return say('It was let go.');
    });
    server.registerTool('watchful', { description: 'Watches' }, () => say('seen'));
    server.registerTool('ask', { description: 'Asks for a color' }, async () => {
      const { action, content } = await server.server.elicitInput({
        message: 'Which color?',
        requestedSchema: {
          type: 'object',
          properties: { color: { type: 'string' } },
          required: ['color'],
        },
      });
      return say(`${action} ${JSON.stringify(content)}`);
    });
    return server;
  };
  const serving = await serve({ create, port });
  return {
    url: serving.url,
    release: () => {
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
    get cancelled() {
      return cancelled;
    },
    log: async (data) => {
      for (const server of servers) {
        await server.server.sendLoggingMessage({ level: 'info', data }).catch(() => undefined);
      }
    },
    close: () => serving.close(),
    [Symbol.asyncDispose]: () => serving.close(),
  };
}

/** What is on the screen, down to the last row that holds something. */
export function textOf(terminal: Pick<TerminalScreen, 'rows'>): string {
  const rows = terminal.rows();
  return rows.slice(0, rows.findLastIndex((row) => row !== '') + 1).join('\n');
}

/** A terminal in which a command was typed that says its exit code at last, with the server by the name `market`. */
export async function openSession(
  command: string,
  {
    url,
    columns = 80,
    rows = 24,
    env = {},
  }: { url: string; columns?: number; rows?: number; env?: Record<string, string> },
): Promise<TerminalScreen> {
  const opened = await openTerminal(columns, rows, env);
  const terminal: TerminalScreen = {
    ...opened,
    shows: async (pattern) => {
      await until(() => expect(textOf(opened)).toMatch(pattern));
      return textOf(opened);
    },
  };
  await terminal.shows(/[$#] $/);
  const file = JSON.stringify({ mcpServers: { market: { url } } });
  const start = `'${process.execPath}' '${bin}' "$@"; echo "code $?"`;
  const lines = [
    "PS1='$ '",
    `longwire() { ${start}; }`,
    `echo '${file}' > longwire.json`,
    'stty -g > before',
    'clear',
  ];
  terminal.type(`${lines.join('; ')}\r`);
  await terminal.shows(/^\$ $/);
  terminal.type(`${command}\r`);
  return terminal;
}
