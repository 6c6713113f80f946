/** A node of `cluster`: a server with one tool, with the cluster or alone. */
import { redis } from '@longwire/cluster';
import { mcp } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import Fastify from 'fastify';
import * as z from 'zod';

const { url } = JSON.parse(process.argv[2] ?? '{}');
const NO_LIMIT = { max: 1_000_000_000, windowMs: 1_000 };
const inputSchema = z.object({ text: z.string() });

const app = Fastify();
await app.register(mcp, {
  create: () => {
    const server = new McpServer({ name: 'bench', version: '1.0.0' });
    for (const [name, annotations] of Object.entries({ echo: {}, look: { readOnlyHint: true } })) {
      server.registerTool(name, { inputSchema, annotations }, ({ text }) => ({
        content: [{ type: 'text', text }],
      }));
    }
    return server;
  },
  rates: { perAddress: NO_LIMIT, perPrincipal: NO_LIMIT },
  maxSessionsPerAddress: Infinity,
  ...(url !== undefined && { cluster: redis(url) }),
});
const origin = await app.listen({ port: 0, host: '127.0.0.1' });

process.on('disconnect', () => process.exit());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000, rss: process.memoryUsage().rss });
});
process.send?.({ url: `${origin}/mcp` });
