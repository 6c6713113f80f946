/**
 * Who calls the servers of the trial, in a process of its own: some clients are watched by the page, and
 * some are not. Started with where the servers are, as JSON; says where the page is, then answers what it
 * is asked: calls for a time, or what the page's picture has counted.
 */
import { createClient } from '@longwire/client';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { importSource } from '../../support/import-source.mjs';

const TICK_MS = 10;

/** @typedef {{ plain: string[], watched: string[] }} Urls */
/** @typedef {import('./dash-sources.ts')} Sources */

const { Live, servePage } = /** @type {Sources} */ (
  await importSource('test/load/page/dash-sources.ts')
);
const urls = /** @type {Urls} */ (JSON.parse(process.argv[2] ?? '{}'));
const live = new Live();
const directory = fileURLToPath(new URL('../../../packages/dashboard/dist', import.meta.url));
const page = await servePage(live, { directory });
const clients = {
  plain: urls.plain.map((url) => createClient(url)),
  watched: urls.watched.map((url, index) => {
    const name = `watched-${index + 1}`;
    const client = createClient(url, { name, middleware: [live.middleware(name)] });
    live.add(name, client, url);
    return client;
  }),
};
/** What those that are not watched hear. */
let heard = 0;
for (const client of clients.plain) {
  client.on('notification', () => heard++);
  await client.connect();
  await client.setLogLevel('debug');
}
await Promise.all(clients.watched.map((client) => client.connect()));

/** @typedef {{ group: 'plain' | 'watched', callsPerSecond: number, seconds: number }} Calls */

process.on('disconnect', () => process.exit());
process.on('message', (/** @type {Calls | 'counted'} */ question) => {
  if (question === 'counted') process.send?.(counted());
  else void call(question).then((run) => process.send?.(run));
});
process.send?.({ url: page.url });

/** Calls at a rate, whatever the calls before come to. @param {Calls} calls */
async function call({ group, callsPerSecond, seconds }) {
  /** @type {number[]} */
  const latenciesMs = [];
  /** @type {Promise<void>[]} */
  const under = [];
  const startedAt = performance.now();
  const before = process.cpuUsage();
  let made = 0;
  while (made < callsPerSecond * seconds) {
    const due = ((performance.now() - startedAt) / 1000) * callsPerSecond;
    for (; made < Math.min(due, callsPerSecond * seconds); made++) {
      const client = clients[group][made % clients[group].length];
      const calledAt = performance.now();
      const called = client?.callTool('find', { text: `shoes ${made}` }).then(() => {
        latenciesMs.push(performance.now() - calledAt);
      });
      if (called !== undefined) under.push(called);
    }
    await delay(TICK_MS);
  }
  await Promise.all(under);
  const { user, system } = process.cpuUsage(before);
  return { latenciesMs, cpuMs: (user + system) / 1000 };
}

/** What came of all that the watched servers did. */
function counted() {
  const { picture } = live.log;
  const servers = [...picture.servers.values()];
  const sum = (/** @type {(server: (typeof servers)[number]) => number} */ of) =>
    servers.reduce((all, server) => all + of(server), 0);
  return {
    heard,
    events: sum(({ totals }) => totals.events),
    calls: sum(({ totals }) => totals.calls),
    inFlight: sum(({ inFlight }) => inFlight),
    lost: picture.lost,
  };
}
