import { completable, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { registerResources } from './resources.js';
import { registerTools } from './tools.js';

/** What may be set for tests. */
export interface DemoServerOptions {
  /** How often `demo://clock` changes for its subscribers. Default: 1000. */
  clockMs?: number;
}

const TONES = ['calm', 'cheerful', 'dramatic', 'dry'];

/** The MCP server that `longwire demo` connects to; one for each session. */
export function createDemoServer({ clockMs = 1000 }: DemoServerOptions = {}): McpServer {
  const server = new McpServer(
    { name: 'longwire-demo', title: 'Longwire demo', version: '0.1.0' },
    {
      capabilities: { logging: {}, resources: { subscribe: true } },
      instructions: 'A server to try things on. Its prices and its weather are made up.',
    },
  );
  registerTools(server);
  registerPrompt(server);
  server.server.onclose = registerResources(server, clockMs);
  return server;
}

function registerPrompt(server: McpServer): void {
  const tone = completable(z.string(), (begun) => TONES.filter((name) => name.startsWith(begun)));
  server.registerPrompt(
    'market_brief',
    {
      title: 'Market brief',
      description: 'Asks for a short report on some stocks.',
      argsSchema: z.object({
        symbols: z.string().describe('Separated by commas'),
        tone: tone.optional().describe(TONES.join(', ')),
      }),
    },
    ({ symbols, tone: asked = 'dry' }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'text',
            text: `Watch ${symbols} for five seconds with stream_stock_prices, then write three sentences about what happened, in a ${asked} tone.`,
          },
        },
      ],
    }),
  );
}
