/** The server of `tasks`: the same tool as an ordinary one, and as one whose calls are tasks. */
import { setTimeout as delay } from 'node:timers/promises';
import { mcp } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import Fastify from 'fastify';
import * as z from 'zod';

const { pollIntervalMs, isDeaf } = JSON.parse(process.argv[2] ?? '{}');
const NO_LIMIT = { max: 1_000_000_000, windowMs: 1_000 };
const inputSchema = z.object({ ms: z.number() });
const told = { requests: 0, bytes: 0, cpuMs: 0 };
/** @type {Map<import('node:net').Socket, number>} bytes of each that were counted */
const sockets = new Map();

const app = Fastify();
app.addHook('onRequest', async ({ body, raw }, reply) => {
  void body;
  told.requests += 1;
  // A server that tells nothing by itself: its client has to ask.
  if (isDeaf && raw.headers['mcp-method'] === 'subscriptions/listen') {
    await reply.code(404).send();
  }
});
app.server.on('connection', (socket) => {
  sockets.set(socket, 0);
  socket.once('close', () => {
    count(socket);
    sockets.delete(socket);
  });
});
await app.register(mcp, {
  create: () => {
    const server = new McpServer({ name: 'tasks', version: '1.0.0' });
    for (const name of ['held', 'task']) {
      server.registerTool(name, { inputSchema }, async ({ ms }) => {
        await delay(ms);
        return {
          content: [{ type: 'text', text: String(performance.timeOrigin + performance.now()) }],
        };
      });
    }
    return server;
  },
  tasks: { task: { task: 'required', pollIntervalMs } },
  rates: { perAddress: NO_LIMIT, perPrincipal: NO_LIMIT },
});
const origin = await app.listen({ port: 0, host: '127.0.0.1' });

/** @param {import('node:net').Socket} socket */
function count(socket) {
  const bytes = socket.bytesRead + socket.bytesWritten;
  told.bytes += bytes - (sockets.get(socket) ?? 0);
  sockets.set(socket, bytes);
}

let cpuBefore = 0;
process.on('disconnect', () => process.exit());
process.on('message', () => {
  for (const socket of sockets.keys()) count(socket);
  const { user, system } = process.cpuUsage();
  const cpuMs = (user + system) / 1_000;
  process.send?.({ ...told, cpuMs: cpuMs - cpuBefore });
  Object.assign(told, { requests: 0, bytes: 0 });
  cpuBefore = cpuMs;
});
process.send?.({ url: `${origin}/mcp` });
