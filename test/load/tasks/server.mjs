/** The server of the trial of tasks, in a process of its own that ends with its parent. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { MemoryTaskStore, serve } from '@longwire/server';
import { DiskTaskStore } from '@longwire/server/disk-tasks';
import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

const gc = /** @type {() => void} */ (globalThis.gc);
const RESOLUTION_MS = 10;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const { folder, ttlMs, ...limits } = JSON.parse(process.argv[2] ?? '{}');
const NO_LIMIT = { max: 1_000_000_000, windowMs: 1_000 };
const inputSchema = z.object({ key: z.string(), ms: z.number() });
let servers = 0;
let runs = 0;

const { url } = await serve({
  create: () => {
    const server = new McpServer({ name: 'tasks', version: '1.0.0' });
    servers += 1;
    server.server.onclose = () => (servers -= 1);
    server.registerTool('work', { inputSchema }, async ({ key, ms }) => {
      runs += 1;
      await delay(ms);
      return { content: [{ type: 'text', text: `done ${key}` }] };
    });
    return server;
  },
  auth: ({ headers }) => ({ id: String(headers.authorization) }),
  tasks: { work: { task: 'required', ttlMs, pollIntervalMs: 1_000 } },
  stores: {
    tasks:
      folder === undefined ? new MemoryTaskStore(limits) : await DiskTaskStore.open(folder, limits),
  },
  maxSessionsPerAddress: Infinity,
  rates: { perAddress: NO_LIMIT, perPrincipal: NO_LIMIT },
});

process.on('disconnect', () => process.exit());
process.on('message', (question) => {
  if (question === 'measure') void measure().then((measured) => process.send?.(measured));
  else process.send?.(lateness());
});
delays.enable();
process.send?.({ url });

async function measure() {
  for (let round = 0; round < 3; round++) {
    gc();
    await nextTurn();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  delays.reset();
  const cpuMs = (user + system) / 1_000;
  return { servers, runs, cpuMs, rssBytes: rss, heapBytes: heapUsed + external };
}

function lateness() {
  const late = (/** @type {number} */ ns) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
  return {
    p50Ms: late(delays.percentile(50)),
    p99Ms: late(delays.percentile(99)),
    maxMs: late(delays.max),
  };
}
