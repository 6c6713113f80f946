import { McpServer } from '@modelcontextprotocol/server';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';

/** How often `count` tells its progress. */
export const STEPS = 3;

/** How long `big` is. */
export const BIG_BYTES = 256 * 1024;

// Made once: a schema that is made for every session costs more than all else that it holds.
const COUNT = { description: 'Counts with progress', inputSchema: z.object({ key: z.string() }) };
const BIG = { description: 'Answers at length', inputSchema: z.object({ key: z.string() }) };
const FILLER = Array.from({ length: 8 }, (_, index) => ({
  name: `filler_${index}`,
  config: {
    description: 'Is there to be listed',
    inputSchema: z.object({ text: z.string(), times: z.number().optional() }),
  },
}));
const LONG_TEXT = 'x'.repeat(BIG_BYTES);

/** The server of one session, with ten tools. */
export function createTenTools() {
  const server = new McpServer({ name: 'load', version: '1.0.0' });
  server.registerTool('count', COUNT, async ({ key }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (let progress = 1; progress <= STEPS && progressToken !== undefined; progress++) {
      await delay(2);
      const params = { progressToken, progress, total: STEPS };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    return { content: [{ type: 'text', text: `counted ${key}` }] };
  });
  server.registerTool('big', BIG, () => ({ content: [{ type: 'text', text: LONG_TEXT }] }));
  for (const { name, config } of FILLER) {
    server.registerTool(name, config, ({ text }) => ({ content: [{ type: 'text', text }] }));
  }
  return server;
}
