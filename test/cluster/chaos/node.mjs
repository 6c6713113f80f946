/**
 * A node of the trials of the cluster: the kit as a process of its own, with tools that write down that they
 * run. Argument: `NodeProgram` of `../support/node.mjs` as JSON. SIGTERM stops it in order.
 */
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { note } from './journal.mjs';

/** @type {import('../support/node.mjs').NodeProgram & { journal: string }} */
const { name, redis: url, clusterOptions, journal, options } = JSON.parse(process.argv[2] ?? '');

const inputSchema = z.object({ key: z.string(), ms: z.number(), steps: z.number() });

function create() {
  const server = new McpServer({ name: 'trial', version: '1.0.0' });
  /** @param {string} tool @returns {import('@modelcontextprotocol/server').ToolCallback<typeof inputSchema>} */
  const running =
    (tool) =>
    async ({ key, ms, steps }, { mcpReq }) => {
      const run = randomUUID();
      note(journal, 'ran', { key, run, node: name });
      const progressToken = mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= steps; progress++) {
        await delay(ms / steps);
        if (progressToken === undefined) continue;
        const params = { progressToken, progress, total: steps };
        await mcpReq.notify({ method: 'notifications/progress', params });
      }
      note(journal, 'ended', { key, run, node: name });
      return { content: [{ type: 'text', text: `${tool} ${key} ${run}` }] };
    };
  // Must not run twice.
  server.registerTool('pay', { inputSchema }, running('pay'));
  server.registerTool('export', { inputSchema }, running('export'));
  for (const tool of ['look', 'render']) {
    const annotations = { readOnlyHint: true };
    server.registerTool(tool, { inputSchema, annotations }, running(tool));
  }
  return server;
}

/** @type {import('@longwire/server').TaskOptions} */
const AS_TASK = { task: 'optional', auto: { afterMs: 50 }, pollIntervalMs: 200 };

const serving = await serve({
  create,
  port: 0,
  maxSessionsPerAddress: Infinity,
  tasks: { export: AS_TASK, render: AS_TASK },
  stop: { delayMs: 1_000, graceMs: 10_000 },
  signals: true,
  logger: process.env['NODE_LOG'] === undefined ? false : { level: process.env['NODE_LOG'] },
  ...options,
  ...(url !== undefined && { cluster: await clusterOf(url) }),
});

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send?.({ url: serving.url });
process.channel?.unref();

/** Loaded only where there is a Redis. @param {string} redisUrl */
async function clusterOf(redisUrl) {
  const { redis } = await import('@longwire/cluster');
  return redis(redisUrl, clusterOptions);
}
