/** A Redis of a benchmark, and what it says of itself. */
import { Redis } from 'ioredis';
import { startRedis } from '../../test/cluster/support/redis-server.mjs';

/** Starts Redis, or what speaks like it: `REDIS_SERVER`. */
export async function startMeasuredRedis() {
  const server = await startRedis();
  const client = new Redis(server.url);
  return {
    url: server.url,
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
      await server.stop();
    },
  };
}
