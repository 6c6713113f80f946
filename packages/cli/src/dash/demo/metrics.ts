import { McpServer } from '@modelcontextprotocol/server';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { READ_ONLY, report, text } from '../../demo/answers.js';
import { sayByItself } from './say-by-itself.js';

/** How often numbers are sent, in milliseconds. */
const EVERY_MS = 500;
const METRICS = ['cpu', 'memoryMb', 'requestsPerSecond'] as const;

type Metrics = Record<(typeof METRICS)[number], number>;

/** Numbers of a made-up machine. It can end itself for a while, as machines do. */
export class Metering {
  #now: Metrics = { cpu: 0.4, memoryMb: 900, requestsPerSecond: 120 };

  /** The numbers, a moment later. */
  step(): Metrics {
    const { cpu, memoryMb, requestsPerSecond } = this.#now;
    const load = clamp(cpu + (Math.random() - 0.5) * 0.12, 0.05, 0.98);
    this.#now = {
      cpu: rounded(load, 3),
      memoryMb: Math.round(clamp(memoryMb + (Math.random() - 0.48) * 30, 400, 2000)),
      requestsPerSecond: Math.round(
        clamp(requestsPerSecond + (Math.random() - 0.5) * 25 + (load - 0.5) * 8, 10, 400),
      ),
    };
    return this.#now;
  }
}

/** The server that sends numbers. `restart` ends all that it serves, and comes back after that time. */
export function createMetricsServer(
  metering: Metering,
  restart: (awayMs: number) => void,
): McpServer {
  const server = new McpServer(
    { name: 'metrics', title: 'Metrics', version: '1.0.0' },
    { capabilities: { logging: {} }, instructions: 'Made-up numbers of a machine.' },
  );
  sayByItself(server, {
    everyMs: () => EVERY_MS,
    say: () => ({ level: 'info', logger: 'metrics', data: metering.step() }),
  });
  server.registerTool(
    'query_metric',
    {
      title: 'Query a metric',
      description: 'The values of a metric in the last minutes, one for each ten seconds.',
      inputSchema: z.object({
        metric: z.enum(METRICS),
        minutes: z.int().min(1).max(60).default(5),
      }),
      outputSchema: z.object({ metric: z.string(), values: z.array(z.number()) }),
      annotations: READ_ONLY,
    },
    ({ metric, minutes }) => {
      const values = Array.from({ length: minutes * 6 }, () => metering.step()[metric]);
      return { ...text(values.join(' ')), structuredContent: { metric, values } };
    },
  );
  server.registerTool(
    'collect_profile',
    {
      title: 'Collect a profile',
      description: 'Looks at the machine for some seconds. It is slow, and says how far it is.',
      inputSchema: z.object({ seconds: z.number().positive().max(300).default(10) }),
      annotations: READ_ONLY,
    },
    async ({ seconds }, context) => {
      const total = Math.max(1, Math.round(seconds * 5));
      for (let step = 1; step <= total; step++) {
        await report(context, step, total, `${(step / 5).toFixed(1)} s of ${seconds} s`);
        await sleep(200, undefined, { signal: context.mcpReq.signal });
      }
      return text('parse 41 %, render 22 %, database 19 %, other 18 %');
    },
  );
  server.registerTool(
    'restart_server',
    {
      title: 'Restart this server',
      description: 'Ends this server with all calls that run on it. It comes back by itself.',
      inputSchema: z.object({ awaySeconds: z.number().min(0).max(60).default(3) }),
      annotations: { destructiveHint: true, idempotentHint: false },
    },
    async ({ awaySeconds }, context) => {
      restart(awaySeconds * 1000);
      // It ends before it can answer.
      await sleep(awaySeconds * 1000 + 60_000, undefined, { signal: context.mcpReq.signal });
      return text('It should have ended.');
    },
  );
  return server;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
