/**
 * A node of the stopping test: a server of the kit in a process of its own, which says where it listens
 * and what it runs. It ends by SIGTERM, as the kit does it, or with its parent.
 */
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';

/** How long a call takes, at least and at most. */
const [LEAST_MS, MOST_MS] = [50, 1_500];

const inputSchema = z.object({ key: z.string() });

const serving = await serve({
  create() {
    const server = new McpServer({ name: 'node', version: '1.0.0' });
    server.registerTool('pay', { inputSchema }, async ({ key }, { mcpReq }) => {
      process.send?.({ ran: key });
      const steps = 4;
      const stepMs = (LEAST_MS + Math.random() * (MOST_MS - LEAST_MS)) / steps;
      const progressToken = mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= steps; progress++) {
        await delay(stepMs);
        if (progressToken === undefined) continue;
        const params = { progressToken, progress, total: steps };
        await mcpReq.notify({ method: 'notifications/progress', params });
      }
      return { content: [{ type: 'text', text: `paid ${key}` }] };
    });
    return server;
  },
  toolEvents: true,
  maxSessionsPerAddress: Infinity,
  stop: { delayMs: 5_000, graceMs: 10_000 },
  signals: true,
});

process.on('disconnect', () => process.exit(1));
process.send?.({ url: serving.url });
// A channel to the parent that is listened to would keep the process alive.
process.channel?.unref();
