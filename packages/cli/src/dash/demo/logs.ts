import type { LoggingLevel } from '@longwire/client';
import { McpServer } from '@modelcontextprotocol/server';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { READ_ONLY, report, text } from '../../demo/answers.js';
import { sayByItself } from './say-by-itself.js';

const LEVELS = ['debug', 'info', 'warning', 'error'] as const satisfies readonly LoggingLevel[];
const SERVICES = ['api', 'worker', 'billing'] as const;
const MESSAGES: Readonly<Record<(typeof LEVELS)[number], readonly string[]>> = {
  debug: ['cache miss for user 4711', 'connection taken from the pool'],
  info: ['GET /orders 200 in 12 ms', 'POST /orders 201 in 48 ms', 'job 882 done'],
  warning: ['retry 2 of 5: upstream is slow', 'queue is at 80 %'],
  error: ['payment was declined: card expired', 'GET /orders 502 in 3012 ms'],
};

/** The server that sends lines of a made-up log. */
export function createLogsServer(): McpServer {
  const server = new McpServer(
    { name: 'logs', title: 'Logs', version: '1.0.0' },
    { capabilities: { logging: {} }, instructions: 'A made-up log of three services.' },
  );
  sayByItself(server, {
    everyMs: () => 150 + Math.random() * 700,
    say: () => {
      const level = pick(['debug', 'info', 'info', 'info', 'info', 'warning', 'error'] as const);
      return { level, logger: pick(SERVICES), data: pick(MESSAGES[level]) };
    },
  });
  server.registerTool(
    'search_logs',
    {
      title: 'Search the logs',
      description: 'Finds lines of the log, day by day.',
      inputSchema: z.object({
        text: z.string().min(1).describe('What to look for'),
        where: z
          .object({
            services: z.array(z.enum(SERVICES)).default([...SERVICES]),
            level: z.enum(LEVELS).default('info').describe('From this level up'),
          })
          .optional(),
        last: z
          .union([z.object({ days: z.int().min(1).max(30) }), z.object({ lines: z.int().min(1) })])
          .optional()
          .describe('How far back: days, or lines'),
      }),
      annotations: READ_ONLY,
    },
    async ({ text: wanted, last }, context) => {
      const days = last !== undefined && 'days' in last ? last.days : 7;
      for (let day = 1; day <= days; day++) {
        await report(context, day, days, `day ${day} of ${days}`);
        await sleep(150, undefined, { signal: context.mcpReq.signal });
      }
      const found = LEVELS.flatMap((level) =>
        MESSAGES[level].filter((line) => line.includes(wanted)).map((line) => `${level}: ${line}`),
      );
      return text(found.join('\n') || `nothing with "${wanted}" in ${days} days`);
    },
  );
  server.registerTool(
    'delete_logs',
    {
      title: 'Delete old logs',
      description: 'Deletes what is older than so many days. It cannot be undone.',
      inputSchema: z.object({ olderThanDays: z.int().min(1).max(365) }),
      annotations: { destructiveHint: true, idempotentHint: false },
    },
    ({ olderThanDays }) => text(`Deleted what was older than ${olderThanDays} days.`),
  );
  return server;
}

function pick<Item>(items: readonly Item[]): Item {
  return items[Math.floor(Math.random() * items.length)] as Item;
}
