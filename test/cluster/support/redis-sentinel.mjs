import { Redis } from 'ioredis';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, redisProgram, startRedis } from './redis-server.mjs';

/** The name under which sentinels know the primary. */
export const PRIMARY = 'main';
/** After so long without an answer a primary counts as dead. */
const DOWN_AFTER_MS = 500;
const READY_MS = 60_000;

/** @typedef {Awaited<ReturnType<typeof startRedis>>} RedisServer */

/**
 * A primary with replicas, and sentinels that make one of those the primary when it is gone.
 *
 * @param {{ replicas?: number, sentinels?: number }} [options]
 */
export async function startSentinels({ replicas = 1, sentinels: count = 1 } = {}) {
  /** @type {(() => Promise<void>)[]} */
  const stops = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  /** @param {readonly string[]} args */
  const start = async (args) => {
    // Without a pause before it sends its data to a replica.
    const server = await startRedis({ args: ['--repl-diskless-sync-delay', '0', ...args] });
    stops.push(server.stop);
    return server;
  };
  try {
    const primary = await start([]);
    const servers = [primary];
    const from = ['--replicaof', '127.0.0.1', String(primary.port)];
    for (let index = 0; index < replicas; index++) servers.push(await start(from));
    const ports = [];
    for (let index = 0; index < count; index++) {
      const sentinel = await startSentinel(primary.port, Math.floor(count / 2) + 1);
      stops.push(sentinel.stop);
      ports.push(sentinel.port);
    }
    /** @template T @param {number} port @param {(client: Redis) => Promise<T>} act */
    const ask = async (port, act) => {
      const client = new Redis(port, '127.0.0.1', { retryStrategy: null });
      client.on('error', () => {});
      try {
        return await act(client);
      } finally {
        client.disconnect();
      }
    };
    const primaryNow = async () => {
      const [, port] = await ask(Number(ports[0]), async (client) => {
        return /** @type {string[]} */ (
          await client.call('SENTINEL', 'get-master-addr-by-name', PRIMARY)
        );
      });
      return servers.find((server) => server.port === Number(port));
    };
    /** Each sentinel knows the replicas and the other sentinels, and replicas have all. */
    const settled = async () => {
      const until = performance.now() + READY_MS;
      const isSettled = async () => {
        for (const port of ports) {
          const [known, others] = await ask(port, async (client) => [
            /** @type {unknown[][]} */ (await client.call('SENTINEL', 'replicas', PRIMARY)),
            /** @type {unknown[]} */ (await client.call('SENTINEL', 'sentinels', PRIMARY)),
          ]);
          const up = known.filter((fields) => JSON.stringify(fields).includes('"slave"'));
          if (up.length < replicas || others.length < count - 1) return false;
        }
        const now = await primaryNow();
        if (now === undefined) return false;
        const info = await ask(now.port, (client) => client.info('replication'));
        return (info.match(/state=online/g) ?? []).length >= replicas;
      };
      while (!(await isSettled().catch(() => false))) {
        if (performance.now() > until) throw new Error('the sentinels do not know their servers');
        await delay(50);
      }
    };
    await settled();
    return {
      servers,
      /** What `redis(url, options)` is given. */
      url: `redis://${PRIMARY}`,
      connection: { sentinels: ports.map((port) => ({ host: '127.0.0.1', port })), name: PRIMARY },
      ask,
      primaryNow,
      settled,
      /** Starts one again that was killed, as a replica of the primary of now; fulfilled when it has all. */
      comeBack: async (/** @type {RedisServer} */ server) => {
        await server.start();
        const { port } = (await primaryNow()) ?? {};
        await ask(server.port, (client) => client.call('REPLICAOF', '127.0.0.1', Number(port)));
        await settled();
      },
      /** Lets them make a replica the primary, though the primary is well. */
      failOver: () =>
        ask(Number(ports[0]), (client) => client.call('SENTINEL', 'failover', PRIMARY)),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param {number} primaryPort @param {number} quorum */
async function startSentinel(primaryPort, quorum) {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${PRIMARY} 127.0.0.1 ${primaryPort} ${quorum}`,
    `sentinel down-after-milliseconds ${PRIMARY} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${PRIMARY} 3000`,
  ];
  await writeFile(file, lines.join('\n'));
  const child = spawn(redisProgram, [file, '--sentinel'], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const abandon = () => void child.kill('SIGKILL');
  process.once('exit', abandon);
  const stop = async () => {
    process.off('exit', abandon);
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  return { port, stop };
}
