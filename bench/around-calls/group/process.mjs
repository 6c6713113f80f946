/** A process that makes one group, says what that took, and closes it. */
import { createGroup } from '@longwire/client/group';

/**
 * @typedef {object} Sample
 * @property {number} connectMs from `createGroup` to all servers connected
 * @property {number} listMs for the tools of all servers
 * @property {number} cpuMs for both, of this process, user and system
 * @property {number} rssKiB added per server
 * @property {number} heapKiB added per server
 */

/** @param {readonly string[]} urls */
const groupOf = (urls) =>
  createGroup(Object.fromEntries(urls.map((url, index) => [`server${index}`, url])));

/** After the garbage is gone: this process is started with `--expose-gc`. */
function memory() {
  globalThis.gc?.();
  return process.memoryUsage();
}

/**
 * @param {readonly string[]} urls
 * @returns {Promise<Sample>}
 */
async function sample(urls) {
  // What is loaded and made once, however many servers there are, is not to be counted.
  const first = groupOf(urls.slice(0, 2));
  await first.listTools();
  await first.close();

  const before = memory();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const group = groupOf(urls);
  await group.connect();
  const connectedAt = performance.now();
  const tools = await group.listTools();
  const listedAt = performance.now();
  const cpu = process.cpuUsage(cpuBefore);
  const after = memory();

  const ready = group.status().filter(({ state }) => state === 'ready');
  if (ready.length !== urls.length) throw new Error(`${ready.length} servers are connected`);
  const names = new Set(tools.map(({ name }) => name));
  if (names.size !== urls.length) throw new Error(`there are ${names.size} tools`);
  await group.close();
  return {
    connectMs: connectedAt - startedAt,
    listMs: listedAt - connectedAt,
    cpuMs: (cpu.user + cpu.system) / 1000,
    rssKiB: (after.rss - before.rss) / 1024 / urls.length,
    heapKiB: (after.heapUsed - before.heapUsed) / 1024 / urls.length,
  };
}

process.on('disconnect', () => process.exit());
process.on('message', (urls) => {
  sample(/** @type {string[]} */ (urls)).then(
    (taken) => process.send?.({ sample: taken }),
    (error) => process.send?.({ error: String(error?.stack ?? error) }),
  );
});
process.send?.({ ready: true });
