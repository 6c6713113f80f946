/**
 * A node that serves tools whose calls are tasks. Argument: `NodeProgram` of the tests of clusters as JSON, with
 * the file for what the tools do as `events`.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { redis } from '@longwire/cluster';
import { serve } from '@longwire/server';
import { createTaskServer, TASK_OPTIONS } from './task-server.mjs';

const { redis: url, events } = JSON.parse(process.argv[2] ?? '');
const serving = await serve({
  ...TASK_OPTIONS,
  create: () => createTaskServer(note, die),
  port: 0,
  maxSessionsPerAddress: Infinity,
  signals: true,
  cluster: redis(url),
});

/** @param {string} event */
function note(event) {
  appendFileSync(events, `${event}\n`);
}

/** @param {string} key */
function die(key) {
  const event = `died of ${key}`;
  if (readFileSync(events, 'utf8').split('\n').includes(event)) return;
  note(event);
  process.kill(process.pid, 'SIGKILL');
}

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send?.({ url: serving.url });
process.channel?.unref();
