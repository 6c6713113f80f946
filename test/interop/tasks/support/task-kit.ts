import { serve } from '@longwire/server';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../../../cluster/support/cluster.mjs';
import { removeFolder } from '../../../support/remove-folder.ts';
import { createTaskServer, TASK_OPTIONS } from './task-server.mjs';

/** A server of the kit with tasks, at one address. */
export interface TaskKit extends AsyncDisposable {
  /** `…/mcp` */
  readonly url: string;
  /** What its tools did, in order. */
  events(): readonly string[];
  /** Starts the nodes again that have died. */
  repair?(): Promise<void>;
}

/** Serves its tools on a free port of this process. */
export async function serveTaskKit(): Promise<TaskKit> {
  const events: string[] = [];
  const create = (): ReturnType<typeof createTaskServer> =>
    createTaskServer((event) => events.push(event));
  const serving = await serve({ ...TASK_OPTIONS, create, port: 0 });
  return { url: serving.url, events: () => events, [Symbol.asyncDispose]: () => serving.close() };
}

/** The same as three nodes over a Redis, behind a proxy without stickiness. */
export async function serveTaskCluster(): Promise<TaskKit> {
  const script = fileURLToPath(new URL('task-node.mjs', import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'longwire-tasks-'));
  const file = join(folder, 'events');
  const cluster = await startCluster({ script, events: file });
  return {
    url: cluster.url,
    events: () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []),
    repair: async () => {
      for (const node of cluster.nodes) if (node.pid === undefined) await node.start();
    },
    [Symbol.asyncDispose]: async () => {
      await cluster[Symbol.asyncDispose]();
      await removeFolder(folder);
    },
  };
}
