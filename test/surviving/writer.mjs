import { McpServer } from '@modelcontextprotocol/server';
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';

const STEPS = 20;
const inputSchema = z.object({ key: z.string(), ms: z.number() });

/**
 * A server with a tool that must not run twice: it takes so long, and tells how far it is.
 *
 * @param {string} runs the file that says when it began, and when it ended
 */
export function writer(runs) {
  const server = new McpServer({ name: 'writer', version: '1.0.0' });
  server.registerTool('write', { inputSchema }, async ({ key, ms }, { mcpReq }) => {
    appendFileSync(runs, `begins ${key} in ${process.pid}\n`);
    const progressToken = mcpReq._meta?.progressToken;
    for (let progress = 1; progress <= STEPS; progress++) {
      await delay(ms / STEPS);
      if (progressToken === undefined) continue;
      const params = { progressToken, progress, total: STEPS };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    appendFileSync(runs, `ends ${key}\n`);
    return { content: [{ type: 'text', text: `written ${key}` }] };
  });
  return server;
}
