/** What Redis says of itself, and one of its own for a benchmark. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** @returns {Promise<number>} a port that nobody has at the moment */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Starts Redis, or what speaks like it: `REDIS_SERVER`. */
export async function startRedis() {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'longwire-bench-'));
  const program = process.env['REDIS_SERVER'] ?? 'redis-server';
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn(program, [...args, '--dir', folder], { stdio: 'ignore' });
  const failed = new Promise((_resolve, reject) => {
    child.once('error', reject);
  });
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null });
  client.on('error', () => {});
  await Promise.race([client.ping(), failed]);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    url: `redis://127.0.0.1:${port}`,
    /** CPU, memory, commands and traffic until now. */
    async read() {
      const text = await client.info();
      /** @param {string} name */
      const value = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]);
      return {
        cpuMs: (value('used_cpu_user') + value('used_cpu_sys')) * 1_000,
        memory: value('used_memory'),
        commands: value('total_commands_processed'),
        bytes: value('total_net_input_bytes') + value('total_net_output_bytes'),
      };
    },
    async close() {
      client.disconnect();
      child.kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
