/**
 * A node that serves tools whose calls are tasks. Argument: `NodeProgram` of the tests of clusters as JSON, with
 * the file for what the tools do as `events`.
 */
import { appendFileSync } from 'node:fs';
import { redis } from '@longwire/cluster';
import { serve } from '@longwire/server';
import { createTaskServer, TASK_OPTIONS } from './task-server.mjs';

const { redis: url, events } = JSON.parse(process.argv[2] ?? '');
const serving = await serve({
  ...TASK_OPTIONS,
  create: () => createTaskServer((event) => appendFileSync(events, `${event}\n`)),
  port: 0,
  maxSessionsPerAddress: Infinity,
  signals: true,
  cluster: redis(url),
});

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send?.({ url: serving.url });
process.channel?.unref();
